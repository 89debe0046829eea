"""`unblur report`: finished benchmark runs as a page to read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unblur.cli.messages import show_name

__all__ = ["report"]


def report(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Folders that unblur benchmark wrote.", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.html and report.md; else the first DIR.", show_default=False)
    ] = None,
    papers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write this page instead: what the papers print beside the runs in DIR.",
            show_default=False,
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,  # noqa: ARG001 - for main
) -> None:
    """Compare finished runs: means with intervals, differences, published numbers, charts and images."""
    if papers:
        from unblur.experiments.papers.page import write_papers_page  # noqa: PLC0415 - torch, for the parameters

        write_papers_page(folders[0], papers)
        typer.echo(show_name(papers))
        return
    from unblur.benchmarks.report.write import write_report  # noqa: PLC0415 - torch, by way of the rows' worker

    for path in write_report(folders, out or folders[0]):
        typer.echo(show_name(path))
