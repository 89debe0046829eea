"""`unblur benchmark`: a method over a suite of images with known truth."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from unblur.benchmarks.suites import SUITES, find_suite
from unblur.errors import UsageError

__all__ = ["benchmark"]


class _Protocol(str, Enum):
    plain = "plain"
    shift = "shift"


class _Light(str, Enum):
    auto = "auto"
    encoded = "encoded"
    linear = "linear"


def benchmark(
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
        _Protocol | None, typer.Option(help="How images are compared; else the suite's own.", show_default=False)
    ] = None,
    light: Annotated[
        _Light | None,
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
    save_images: Annotated[bool, typer.Option(help="Also keep the restored images, in images/.")] = False,
) -> None:
    """Restore images whose sharp truth is known, score them, and compare with published numbers."""
    chosen = protocol.value if protocol else find_suite(suite).protocol
    settings = _settings(setting or [])

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
        light=light.value if light else None,
        data=data,
        table=pairs,
        seed=seed,
        limit=limit,
        save_images=save_images,
    )
    summary = run_benchmark(order, jobs=jobs, on_row=_Progress())
    Console().print(summary_table(summary))
    if summary["failed"]:
        raise typer.Exit(1)


class _Progress:
    """A line on the terminal for each row."""

    def __call__(self, row: Any, done: int, total: int) -> None:
        told = f"failed: {row.error}" if row.error else f"{row.psnr:.2f} dB ({row.gain:+.2f}), {row.seconds:.2f} s"
        typer.echo(f"{done}/{total} {row.image}: {told}", err=True)


def _settings(words: list[str]) -> dict[str, str]:
    settings: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise UsageError(f"--set takes NAME=VALUE, not {word!r}")
        settings[name] = value
    return settings
