"""The page `docs/papers.md`: a table for each document, from `contents.toml`, `published.json` and stored runs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined

from unblur.experiments.comparison import Verdict
from unblur.experiments.papers.contents import Paper, read_papers
from unblur.experiments.papers.lines import QUOTED, Line, lines_of
from unblur.experiments.papers.stored import StoredRun
from unblur.system.atomic import atomic_write

__all__ = ["VERDICTS", "make_papers_page", "write_papers_page"]

VERDICTS = (*get_args(Verdict), QUOTED)
"""In the order of the summary."""


def write_papers_page(results: Path, file: Path) -> None:
    """Write the page; an earlier one is replaced.

    Args:
        results: Folder of the stored runs, to which the page links.
        file: Where the page goes.

    Raises:
        DataError: A run, or a value of one, that the page cites is not there.
        OutputError: The file cannot be written.
    """
    links = os.path.relpath(results.absolute(), file.absolute().parent)
    atomic_write(file, make_papers_page(results, links).encode(), overwrite=True)


def make_papers_page(results: Path, links: str) -> str:
    """The page as Markdown.

    Args:
        results: Folder of the stored runs.
        links: The same folder as the page has to name it.
    """
    tables = [(paper, lines_of(paper, results)) for paper in read_papers()]
    environment = Environment(
        loader=PackageLoader("unblur.experiments.papers", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_in_a_cell,
        autoescape=False,  # noqa: S701 - Markdown, of our own words
    )
    return environment.get_template("page.md.jinja").render(
        tables=tables,
        summary=[_counts(paper, lines) for paper, lines in tables],
        commands=[_commands(lines, results) for _, lines in tables],
        verdicts=VERDICTS,
        links=links,
    )


def _counts(paper: Paper, lines: Sequence[Line]) -> tuple[str, list[int]]:
    """Title, and how many lines have each verdict."""
    counted = Counter(line.verdict for line in lines)
    return paper.title, [counted[verdict] for verdict in VERDICTS]


def _commands(lines: Sequence[Line], results: Path) -> dict[str, str]:
    """The command of each run, in the order in which they are cited."""
    runs = dict.fromkeys(line.run for line in lines if line.run)
    return {run: StoredRun(results / run).command for run in runs}


def _in_a_cell(value: Any) -> str:
    """The value without what would end a cell of a table."""
    return str(value).replace("|", "\\|").replace("\n", " ")
