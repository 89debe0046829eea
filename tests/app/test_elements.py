"""Pieces of HTML: what comes from a photo stays text."""

import json
from html.parser import HTMLParser

from unblur.app.elements import answer_html, kernel_editor, link, show_in, status_html, viewer

NASTY = "\"><img src=x onerror=alert(1)>'${alert(2)}{{alert(3)}}"


class Seen(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_names_stay_text():
    pieces = [
        status_html(NASTY, 0.5),
        answer_html(NASTY, [NASTY], [link(NASTY, NASTY)], NASTY),
        show_in("unblur-viewer", {"left": NASTY}),
        viewer({"option-region": NASTY}),
    ]
    for piece in pieces:
        assert not any("onerror" in attributes for _, attributes in Seen(piece).tags)


def test_values_arrive_whole():
    (_, shown), *_ = Seen(show_in("unblur-viewer", {"left": NASTY})).tags
    assert json.loads(shown["data-what"]) == {"left": NASTY}
    (_, editor), *_ = Seen(kernel_editor([[0, 1.5]])).tags
    assert json.loads(editor["data-cells"]) == [[0, 1.5]]


def test_errors_are_alerts():
    assert {"role": "alert"} in [attributes for _, attributes in Seen(status_html("no", is_error=True)).tags]
    assert {"role": "status"} in [attributes for _, attributes in Seen(status_html("yes")).tags]
