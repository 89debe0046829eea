"""A report as files: a page of HTML that loads nothing and runs no code, and the same tables as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from unblur.benchmarks.report.charts import colour_of, quality_against_time
from unblur.benchmarks.report.content import Section
from unblur.benchmarks.report.runs import Run, read_runs
from unblur.benchmarks.report.sections import make_sections
from unblur.benchmarks.report.sheets import Strip, make_sheet
from unblur.system.atomic import atomic_write, make_folder

__all__ = ["LARGEST", "make_page", "make_text", "write_report"]

LARGEST = 5_000_000
"""Bytes that a page may have."""

_WIDTHS = (320, 240, 160, 96)
_environment = partial(
    Environment,
    loader=PackageLoader("unblur.benchmarks.report"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def write_report(folders: Sequence[Path], out: Path) -> tuple[Path, Path]:
    """Write the report of runs and return the paths of the page and of the text.

    Args:
        folders: Folders that `unblur benchmark` wrote, or that hold such folders.
        out: Folder for both files; earlier ones are replaced.

    Raises:
        DataError: A folder without rows that this version can read.
        OutputError: The output folder cannot be written to.
    """
    sections = make_sections(read_runs(folders))
    make_folder(out)
    page, text = out / "report.html", out / "report.md"
    atomic_write(page, make_page(sections), overwrite=True)
    atomic_write(text, make_text(sections), overwrite=True)
    return page, text


def make_page(sections: Sequence[Section]) -> bytes:
    """The page, in UTF-8, below `LARGEST`: its pictures are as large as that allows, and left out if nothing helps."""
    for width in _WIDTHS:
        page = _page(sections, width)
        if len(page) < LARGEST:
            return page
    return _page(sections, None)


def make_text(sections: Sequence[Section]) -> bytes:
    """The tables as Markdown, in UTF-8, for reading where they are kept."""
    # HTML's escaping is not Markdown's: every value that is put in goes through `_plain` instead
    template = _environment(finalize=_plain).get_template("report.md.jinja")
    return template.render(sections=sections).encode("utf-8", "backslashreplace")


def _page(sections: Sequence[Section], width: int | None) -> bytes:
    def sheet(run: Run) -> list[Strip]:
        return [] if width is None else make_sheet(run, width)

    page = (
        _environment(autoescape=True)
        .get_template("report.html.jinja")
        .render(
            sections=sections,
            sheet=sheet,
            has_pictures=width is not None,
            chart=quality_against_time,
            colour_of=colour_of,
            date=datetime.now(UTC).isoformat(" ", timespec="minutes")[:16],
        )
    )
    return page.encode("utf-8", "backslashreplace")


def _plain(value: Any) -> str:
    """The value on one line, with every character that Markdown or HTML would take for its own escaped."""
    one_line = " ".join(str(value).split())
    safe = one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", safe)
