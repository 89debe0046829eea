"""The report as one page of HTML that needs nothing from outside and runs no code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files

from unblur.benchmarks.report.charts import heat_map, quality_against_seconds
from unblur.benchmarks.report.content import Cell, Section, Table
from unblur.benchmarks.report.markup import Markup, element, together
from unblur.benchmarks.report.runs import Run
from unblur.benchmarks.report.sheets import Photo, Strip, make_sheet

__all__ = ["LARGEST", "make_page"]

LARGEST = 5_000_000
"""Bytes that a page may have."""

_WIDTHS = (320, 240, 160, 96)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def make_page(sections: Sequence[Section]) -> bytes:
    """The page, in UTF-8, below `LARGEST`: its pictures are as large as that allows, and left out if nothing helps."""
    for width in _WIDTHS:
        page = _page(sections, width)
        if len(page) < LARGEST:
            return page
    return _page(sections, None)


def _page(sections: Sequence[Section], width: int | None) -> bytes:
    style = files("unblur.benchmarks.report").joinpath("style.css").read_text(encoding="utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", "unblur benchmark report"),
        element("style", Markup(style)),
    )
    date = datetime.now(UTC).isoformat(" ", timespec="minutes")
    body = element(
        "body",
        element("h1", "unblur benchmark report"),
        element("p", f"Written {date[:16]} UTC from the rows of the runs below.", class_="lead"),
        *(_section(section, width) for section in sections),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n".encode("utf-8", "backslashreplace")


def _section(section: Section, width: int | None) -> Markup:
    sheets = [_sheet(run, width) for run in section.runs]
    return element(
        "section",
        element("h2", section.title),
        _table(section.means),
        _table(section.further),
        _table(section.pairs),
        element("h3", "PSNR for each kernel"),
        heat_map(section.grid)
        if section.grid
        else element("p", "Every image of this suite has a blur of its own: there is nothing to compare by kernel."),
        element("h3", "Quality against seconds"),
        quality_against_seconds(section.points) if section.points else element("p", "No image was restored."),
        _table(section.published) or element("p", "No published numbers are known for this suite."),
        element("h3", "Best, median and worst"),
        *sheets,
        _table(section.remarks),
        element("h3", "How it was measured"),
        element("ul", *(element("li", element("bdi", line)) for line in section.conditions), class_="small"),
    )


def _table(table: Table | None) -> Markup | None:
    if table is None:
        return None
    head = element("tr", *(element("th", heading, class_=_kind(table, i)) for i, heading in enumerate(table.headings)))
    rows = [element("tr", *(_cell(cell, _kind(table, i)) for i, cell in enumerate(row))) for row in table.rows]
    whole = element("table", element("thead", head), element("tbody", *rows))
    note = element("p", table.note, class_="note") if table.note else None
    return together(element("h3", table.title), element("div", whole, class_="wide"), note)


def _kind(table: Table, place: int) -> str:
    return "name" if place == 0 else "prose" if place in table.prose else "number"


def _cell(cell: Cell, kind: str) -> Markup:
    text = element("strong" if cell.best else "span", element("bdi", cell.text))
    return element("td", text, element("small", cell.small) if cell.small else None, class_=kind)


def _sheet(run: Run, width: int | None) -> Markup:
    title = element("h4", element("bdi", run.label))
    if width is None:
        return together(title, element("p", "The pictures are left out: the page would be too large.", class_="note"))
    strips = make_sheet(run, width)
    if not any(strip.has_photos for strip in strips):
        hint = "No images were kept; run the benchmark with --save-images to see them here."
        return together(title, *(_strip(strip) for strip in strips), element("p", hint, class_="note"))
    return together(title, *(_strip(strip) for strip in strips))


def _strip(strip: Strip) -> Markup:
    row = strip.row
    words = [f"{row.psnr:.2f} dB", f"{row.gain:+.2f} dB" if row.gain is not None else "", f"{row.seconds or 0:.2f} s"]
    name = element(
        "p",
        element("strong", strip.rank.capitalize()),
        " ",
        element("bdi", row.image),
        " ",
        element("span", ", ".join(filter(None, words)), class_="note"),
    )
    photos = [_photo(photo, "photo") for photo in strip.photos] if strip.has_photos else []
    kernels = [_photo(kernel, "kernel") for kernel in strip.kernels]
    return element("div", name, element("div", *photos, *kernels, class_="strip"), class_="entry")


def _photo(photo: Photo, kind: str) -> Markup:
    picture = element("img", src=photo.address, alt=photo.caption)
    return element("figure", picture, element("figcaption", photo.caption), class_=kind)
