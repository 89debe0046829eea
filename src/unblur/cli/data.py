"""`unblur data`: lists, shows, checks and makes data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

__all__ = ["data"]

data = typer.Typer(help="List, show, check and make data sets.", no_args_is_help=True, add_completion=False)


def _names() -> list[str]:
    from unblur.datasets.catalog import datasets  # noqa: PLC0415 - help does without

    return list(datasets())


_Name = Annotated[
    str, typer.Argument(help="A name that 'unblur data list' shows.", show_default=False, autocompletion=_names)
]


@data.command("list")
def list_sets() -> None:
    """List the data sets."""
    from unblur.datasets.catalog import datasets  # noqa: PLC0415 - help does without

    table = Table("name", "what", "kind", "protocol", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for entry in datasets().values():
        table.add_row(entry.name, entry.title, entry.kind, entry.protocol)
    console = Console(highlight=False)
    console.print(table, markup=False)
    console.print("\nunblur data show NAME says more; unblur data verify NAME checks your copy.", markup=False)


@data.command()
def show(name: _Name) -> None:
    """Show a data set: citation, terms, layout, protocol, how to get it, what it is not for."""
    from unblur.datasets.catalog import find_dataset  # noqa: PLC0415 - help does without

    entry = find_dataset(name)
    facts = {
        "": entry.title,
        "citation": entry.citation,
        "terms": entry.terms,
        "layout": entry.layout,
        "count": _count(entry.kind, entry.count, dict(entry.splits)),
        "protocol": entry.protocol or "none",
        "encoding": entry.encoding or "-",
        "how to get it": entry.get,
        "not for": entry.not_for,
        "known files": "\n".join(f"{part.count} {part.files}, digest {part.digest}" for part in entry.parts) or "-",
    }
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for heading, text in facts.items():
        table.add_row(heading or name, text)
    Console(highlight=False).print(table, markup=False)


@data.command()
def verify(
    name: _Name,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="Folder with the set's folder in it, or that folder; else the variable UNBLUR_DATA.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="Check this split alone.", show_default=False)
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,  # noqa: ARG001 - for main
) -> int:
    """Check that a copy is complete: known files, and the files of every pair or photo."""
    from unblur.cli.messages import escape  # noqa: PLC0415
    from unblur.datasets.catalog import find_dataset  # noqa: PLC0415 - help does without
    from unblur.datasets.verify import verify_dataset  # noqa: PLC0415 - help does without

    is_good = True
    for finding in verify_dataset(find_dataset(name), folder, split):
        is_good &= finding.is_good
        typer.echo(f"{'good' if finding.is_good else 'BAD '}  {escape(finding.what)}: {escape(finding.note)}")
    return 0 if is_good else 1


@data.command()
def make(  # noqa: PLR0917 - typer reads the options off the signature
    name: Annotated[Literal["kernel-synthesised"], typer.Argument(help="The data set to make.", show_default=False)],
    photos: Annotated[list[Path], typer.Argument(help="Folders of sharp photos.", show_default=False)],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for train, validation and test.")
    ] = Path("data/neurmap"),
    variants: Annotated[int, typer.Option(min=1, help="Number of pairs of each photo, each with another motion.")] = 6,
    seed: Annotated[int, typer.Option(help="Seed of everything random, with each photo's name.")] = 0,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Photos processed at the same time.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing outputs.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,  # noqa: ARG001 - for main
) -> int:
    """Make a data set from sharp photos: the kernel-synthesised pairs of NeurMAP, split by photo.

    unblur data make kernel-synthesised photos/ -o data/neurmap
    """
    from collections import Counter  # noqa: PLC0415

    from unblur.cli.messages import error_line, say  # noqa: PLC0415
    from unblur.datasets.generated import make_kernel_synthesised  # noqa: PLC0415 - torch

    del name  # there is one so far
    made: Counter[str] = Counter()
    failed = 0
    for result in make_kernel_synthesised(photos, output, variants=variants, seed=seed, jobs=jobs, overwrite=overwrite):
        made[result.split] += result.pairs
        failed += bool(result.reason)
        if result.reason:
            say(error_line(result.reason, result.photo))
    say(", ".join(f"{count} pairs in {split}" for split, count in made.items()))
    return 1 if failed else 0


def _count(kind: str, count: int, splits: dict[str, int]) -> str:
    if splits:
        return ", ".join(f"{number or 'some'} {kind} in {split}" for split, number in splits.items())
    return f"{count} {kind}" if count else "as many as there are"
