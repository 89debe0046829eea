"""`report.md` and `report.html` from the folders of finished runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unblur.benchmarks.report.page import make_page
from unblur.benchmarks.report.runs import read_runs
from unblur.benchmarks.report.sections import make_sections
from unblur.benchmarks.report.text import make_text
from unblur.errors import OutputError
from unblur.system.atomic import atomic_write

__all__ = ["write_report"]


def write_report(folders: Sequence[Path], out: Path) -> tuple[Path, Path]:
    """Write the report of runs and return the paths of the page and of the text.

    Args:
        folders: That `unblur benchmark` wrote, or that hold such folders.
        out: Folder for both files; earlier ones are replaced.

    Raises:
        DataError: A folder without rows that this version can read.
        OutputError: The output folder cannot be written to.
    """
    sections = make_sections(read_runs(folders))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise OutputError(f"the output folder cannot be made: {reason}") from error
    page, text = out / "report.html", out / "report.md"
    atomic_write(page, make_page(sections), overwrite=True)
    atomic_write(text, make_text(sections), overwrite=True)
    return page, text
