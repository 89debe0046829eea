"""`unblur export`: the network of a method as a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unblur.cli.messages import say, show_name
from unblur.cli.options import parse_settings
from unblur.errors import UsageError
from unblur.methods.catalog import list_entries

__all__ = ["export"]


def export(  # noqa: PLR0917 - typer reads the options off the signature
    method: Annotated[
        str,
        typer.Argument(
            metavar="METHOD",
            help="A method that is one network.",
            show_default=False,
            autocompletion=lambda: list(list_entries()),
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.onnx", help="The new file.", show_default=False)
    ],
    weights: Annotated[
        str | None,
        typer.Option("--weights", metavar="FILE|NAME", help="Weights, in place of its own.", show_default=False),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of the method.", show_default=False),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.onnx if it exists.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,  # noqa: ARG001 - for main
) -> None:
    """Write the network of a method as ONNX: photos of any size in, restored photos out.

    The file takes and gives float32 values from 0 to 1, sRGB-encoded, of shape (1, 3, height, width). It is compared
    with PyTorch before it is written.
    """
    if output.suffix != ".onnx":
        raise UsageError(f"the name of the new file ends in .onnx, not {output.suffix!r}")
    from unblur.methods.loading import load_method  # noqa: PLC0415 - help does without
    from unblur.methods.onnx_engine import PortableMethod, facts_of, portable_names  # noqa: PLC0415 - torch
    from unblur.weights.onnx_file import write_onnx  # noqa: PLC0415 - torch

    ready = load_method(method, parse_settings(settings or []), weights)
    if not isinstance(ready, PortableMethod):
        raise UsageError(
            f"{method} is not one network, or not one that can be exported; {', '.join(portable_names())} can"
        )
    difference = write_onnx(ready.portable(), output, facts_of(ready), overwrite=overwrite)
    say(f"{show_name(output)}: within {difference:.0e} of PyTorch")
