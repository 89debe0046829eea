from html.parser import HTMLParser

import pytest

from unblur.benchmarks.report.charts import quality_against_seconds
from unblur.benchmarks.report.content import Cell, Point, Table
from unblur.benchmarks.report.markup import Markup, element, together
from unblur.benchmarks.report.statistics import Interval
from unblur.benchmarks.report.text import _table

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a & b &lt; c", "'; --", "</td></table>"]


class Texts(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_becomes_markup(name):
    found = Texts(element("p", name, element("b", name), title=name, class_="x", data_name=None))
    assert found.elements == [("p", {"title": name, "class": "x"}), ("b", {})]
    assert found.text == name * 2


def test_pieces_are_escaped_once():
    assert together("<", element("br"), None, Markup("<i>")) == "&lt;<br><i>"
    assert element("line", x1=1, stroke_width=2) == '<line x1="1" stroke-width="2"/>'


@pytest.mark.parametrize("name", [*HOSTILE, "a | b", "[x](javascript:alert)", "*b*", "line\nbreak", "`c`"])
def test_no_text_becomes_markdown(name):
    title, text = _table(Table("t", ("method", "n"), ((Cell(name), Cell("1", "of 2")),)))
    assert title == "### t"
    header, rule, row = text.splitlines()
    assert (header, rule) == ("| method | n |", "| --- | ---: |")
    assert row.endswith(" | 1 (of 2) |")
    assert "<" not in row
    assert row.replace("\\|", "").count("|") == 3
    assert "](" not in row.replace("\\]", "")


def test_points_stand_where_their_numbers_are():
    points = [Point("quick", 0.01, Interval(25, 24, 26)), Point("slow", 1.0, Interval(35, 34, 36))]
    circles = [attributes for tag, attributes in Texts(quality_against_seconds(points)).elements if tag == "circle"]
    (x1, y1), (x2, y2) = ((float(circle["cx"]), float(circle["cy"])) for circle in circles)
    assert x1 < x2
    assert y1 > y2
    alone = Texts(quality_against_seconds(points[:1])).elements
    assert sum(tag == "circle" for tag, _ in alone) == 1
