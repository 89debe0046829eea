"""`unblur benchmark`: a method over a suite of images with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unblur.benchmarks.rows import Row
from unblur.benchmarks.suites import SUITES, find_suite
from unblur.cli.messages import error_line, say, show_name
from unblur.errors import SettingsError
from unblur.methods.base import Light
from unblur.metrics.protocols import Protocol

__all__ = ["benchmark"]


def benchmark(  # noqa: PLR0917 - typer reads the options off the signature
    suite: Annotated[str, typer.Argument(help=f"One of {', '.join(SUITES)}.", show_default=False)],
    method: Annotated[str, typer.Option(help="A name that `unblur methods` lists.")] = "map",
    out: Annotated[
        Path, typer.Option(help="Folder for rows.csv, summary.json and kernels/; earlier ones are replaced.")
    ] = Path("runs/benchmark"),
    data: Annotated[
        Path | None,
        typer.Option(help="Folder that holds the data sets; else the variable UNBLUR_DATA.", show_default=False),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(help="CSV file with the columns blurry,sharp[,kernel] for the suite pairs.", show_default=False),
    ] = None,
    protocol: Annotated[
        Protocol | None, typer.Option(help="How images are compared; else the suite's own.", show_default=False)
    ] = None,
    light: Annotated[
        Light | None,
        typer.Option(help="In which light the images were blurred; else as the data set says.", show_default=False),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Take so many pairs, spread evenly over the suite.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="For methods that draw random numbers.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes, of one thread each.")] = 1,
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the method.")
    ] = None,
    save_images: Annotated[
        bool, typer.Option("--save-images", help="Also keep the restored images, in images/.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,  # noqa: ARG001 - for main
) -> int:
    """Restore images whose sharp truth is known, score them, and compare with published numbers."""
    chosen = protocol or find_suite(suite).protocol
    settings = _parse_settings(setting or [])

    from rich.console import Console  # noqa: PLC0415 - answers about wrong use come without it

    from unblur.benchmarks.run import run_benchmark  # noqa: PLC0415 - torch
    from unblur.benchmarks.tables import summary_table  # noqa: PLC0415
    from unblur.benchmarks.work import Order  # noqa: PLC0415 - torch

    order = Order(
        suite=suite,
        method=method,
        protocol=chosen,
        out=out,
        settings=settings,
        light=light,
        data=data,
        table=pairs,
        seed=seed,
        limit=limit,
        save_images=save_images,
    )
    summary = run_benchmark(order, jobs=jobs, on_row=_say_row)
    Console().print(summary_table(summary))
    return 1 if summary["failed"] else 0


def _say_row(row: Row, done: int, total: int) -> None:
    if row.error:
        say(error_line(row.error, row.image))
    else:
        gain = f"{row.psnr:.2f} dB ({row.gain:+.2f})"
        say(f"{done} of {total}  {show_name(row.image)}: {gain}, {row.seconds:.2f} s")


def _parse_settings(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise SettingsError(f"--set takes NAME=VALUE, not {pair!r}")
    return dict(pair.split("=", 1) for pair in pairs)
