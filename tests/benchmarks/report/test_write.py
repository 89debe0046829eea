from html.parser import HTMLParser

import pytest

from unblur.benchmarks.report.content import Cell, ReportTable, Section
from unblur.benchmarks.report.write import make_page, make_text

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a & b &lt; c", "'; --", "</td></table>"]


class Page(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def section_of(name: str) -> Section:
    """A section in which every text is this one."""
    table = ReportTable(name, (name, "n"), ((Cell(name), Cell("1", name, best=True)),), note=name)
    return Section(name, (name,), (table,), (), ())


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_becomes_markup(name):
    plain, hostile = (Page(make_page([section_of(text)]).decode()) for text in ("plain", name))
    assert hostile.elements == plain.elements
    assert sum(text.strip() == name for text in hostile.texts) == 7


@pytest.mark.parametrize("name", [*HOSTILE, "a | b", "[x](javascript:alert)", "*b*", "line\nbreak", "`c`"])
def test_no_text_becomes_markdown(name):
    lines = make_text([section_of(name)]).decode().splitlines()
    plain = make_text([section_of("plain")]).decode().splitlines()
    assert len(lines) == len(plain)
    header, rule, row = [line for line in lines if line.startswith("|")]
    assert rule == "| --- | ---: |"
    assert row.replace("\\|", "").count("|") == 3
    assert " | **1** (" in row
    for line in lines:
        assert "<" not in line
        assert "](" not in line.replace("\\]", "")
    assert header.count("*") == header.count("\\*")
