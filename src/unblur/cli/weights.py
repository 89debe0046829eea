"""`unblur weights`: lists, downloads of public weights, contents of a file, conversion of files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from unblur.cli.messages import escape, say, show_name
from unblur.errors import CheckpointError, UnblurError, UsageError
from unblur.system.text import shorten

if TYPE_CHECKING:
    from unblur.weights.checkpoint import Checkpoint
    from unblur.weights.public import PublicWeights

__all__ = ["weights"]

weights = typer.Typer(
    help="Trained weights: list, download, show, convert.", no_args_is_help=True, add_completion=False
)

_LONGEST_SHOWN = 500
"""Characters of a name or an entry in the file."""


def _public_names() -> list[str]:
    from unblur.weights.public import public_weights  # noqa: PLC0415 - help does without

    return list(public_weights())


_Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")]


@weights.command("list")
def list_weights() -> None:
    """List the weights that ship with this version, and public ones that can be downloaded."""
    from unblur.weights.public import public_weights  # noqa: PLC0415 - help does without
    from unblur.weights.shipped import shipped  # noqa: PLC0415

    console = Console(highlight=False)
    table = _table("ships with unblur", "method", "what", "sha256")
    for entry in shipped().values():
        table.add_row(entry.name, entry.method, entry.summary, entry.sha256[:16])
    console.print(table, markup=False)
    table = _table("public", "method", "size", "what", "downloaded")
    for public in public_weights().values():
        size = f"{public.bytes / 1e6:.0f} MB"
        table.add_row(public.name, public.method, size, _describe(public), _presence(public))
    console.print()
    console.print(table, markup=False)
    console.print("\nPublic weights are downloaded with: unblur weights get NAME", markup=False)
    console.print("Give weights to their method as --weights NAME, or a file of your own.", markup=False)


@weights.command()
def get(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Public weights of the list.", show_default=False, autocompletion=_public_names
        ),
    ],
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Use this file instead of a download.", show_default=False),
    ] = None,
    debug: _Debug = False,  # noqa: ARG001 - for main
) -> None:
    """Download public weights, with their licence; after that they are used without a network.

    A transfer that was cut goes on where it ended. UNBLUR_WEIGHTS_MIRROR is the address of a server to ask instead of
    the public ones, UNBLUR_WEIGHTS_CACHE a folder to keep weights in.
    """
    from unblur.weights.retrieval import Hooks, find_public, get_weights  # noqa: PLC0415 - help does without
    from unblur.weights.shipped import shipped  # noqa: PLC0415

    if name in shipped():
        say(f"{name} ships with unblur; there is nothing to download")
        return
    entry = find_public(name)
    with _progress() as progress:
        task = progress.add_task(name, total=entry.single.bytes if source else entry.bytes)
        hooks = Hooks(lambda count: progress.advance(task, count), lambda note: progress.console.print(escape(note)))
        here = get_weights(entry, given=source, hooks=hooks)
    say(f"{name}: {show_name(here.path)}, its licence beside it")


def _progress() -> Progress:
    """A line on standard error with bytes, rate and time left; nothing where that is no terminal."""
    console = Console(stderr=True, markup=False, highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _describe(entry: PublicWeights) -> str:
    lines = [
        entry.title,
        f"trained on {entry.trained_on}",
        f"printed: {entry.printed}" if entry.printed else "",
        f"measured: {entry.measured}" if entry.measured else "",
        f"licence: {'; '.join(entry.licences)}",
    ]
    return "\n".join(line for line in lines if line)


def _presence(entry: PublicWeights) -> str:
    from unblur.weights.cache import cache_folder, find_cached  # noqa: PLC0415 - help does without

    try:
        return "yes" if find_cached(entry, cache_folder()) else "no"
    except CheckpointError:
        return "changed; get it again"


@weights.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="Shipped weights, or a file.", show_default=False)],
    debug: _Debug = False,  # noqa: ARG001 - for main
) -> None:
    """Describe a file of weights; nothing in it is run."""
    from unblur.methods.architectures import describe_checkpoint  # noqa: PLC0415 - help does without
    from unblur.weights.shipped import read_weights  # noqa: PLC0415 - torch

    checkpoint = read_weights(name)
    facts = {
        "weights": checkpoint.name,
        "network": describe_checkpoint(checkpoint),
        "tensors": f"{len(checkpoint.tensors)} with {_numbers(checkpoint):,} numbers",
        "sha256": checkpoint.sha256,
        **checkpoint.metadata,
    }
    console = Console(highlight=False)
    about = _table()
    for heading, text in facts.items():
        about.add_row(escape(shorten(heading)), escape(shorten(text, _LONGEST_SHOWN)))
    console.print(about, markup=False)
    tensors = _table("tensor", "shape", "type")
    for key, tensor in checkpoint.tensors.items():
        tensors.add_row(
            escape(shorten(key, _LONGEST_SHOWN)),
            "x".join(map(str, tensor.shape)) or "one number",
            str(tensor.dtype).removeprefix("torch."),
        )
    console.print()
    console.print(tensors, markup=False)


@weights.command()
def convert(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="IN... OUT", help="A file, or the parts of one network; last the new file.", show_default=False
        ),
    ],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it exists.")] = False,
    debug: _Debug = False,  # noqa: ARG001 - for main
) -> None:
    """Write weights of other programs as .safetensors; nothing in them is run.

    unblur weights convert 16channel_10layer.ckpt dublid.safetensors
    unblur weights convert encoder_lv*.pkl decoder_lv*.pkl dmphn.safetensors
    """
    *inputs, output = files
    if not inputs:
        raise UsageError("convert takes a file and the name of the new one: IN OUT")
    from unblur.methods.architectures import known_architectures  # noqa: PLC0415 - help does without
    from unblur.weights.convert import convert as convert_checkpoints  # noqa: PLC0415 - torch
    from unblur.weights.shipped import read_weights  # noqa: PLC0415

    checkpoints = [read_weights(name) for name in inputs]
    try:
        arch = convert_checkpoints(checkpoints, output, known_architectures(), overwrite=overwrite)
    except UnblurError as error:
        raise UsageError(f"{output}: {error}") from error
    count = sum(len(checkpoint.tensors) for checkpoint in checkpoints)
    say(f"{show_name(output)}: {count} tensors, {arch or 'of an unknown architecture'}")


def _table(*headings: str) -> Table:
    table = Table(*headings, box=None, show_header=bool(headings), pad_edge=False, padding=(0, 2, 0, 0))
    if not headings:
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
    for column in table.columns:
        column.overflow = "fold"
    return table


def _numbers(checkpoint: Checkpoint) -> int:
    return sum(tensor.numel() for tensor in checkpoint.tensors.values())
