"""`unblur benchmark`: methods scored on a suite of images with known truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from unblur.benchmarks.options import BenchmarkOptions
from unblur.benchmarks.rows import Row
from unblur.benchmarks.suites import find_suite, suites
from unblur.cli.messages import error_line, say, show_name
from unblur.cli.options import parse_settings
from unblur.errors import SettingsError, UsageError
from unblur.methods.catalog import DEFAULT_METHOD, find_entry, list_entries
from unblur.methods.loading import choose_weights
from unblur.methods.options import Encoding
from unblur.metrics.catalog import METRICS, find_metrics
from unblur.metrics.protocols import Protocol

__all__ = ["benchmark"]


def benchmark(  # noqa: PLR0917 - typer reads the options off the signature
    suite: Annotated[
        str,
        typer.Argument(
            help="pairs, or a data set with pairs; 'unblur data list' shows them.",
            show_default=False,
            autocompletion=lambda: list(suites()),
        ),
    ],
    method: Annotated[
        str | None,
        typer.Option(
            help=f"A name that `unblur methods` lists; {DEFAULT_METHOD} if none is given.",
            show_default=False,
            autocompletion=lambda: list(list_entries()),
        ),
    ] = None,
    methods: Annotated[
        str | None, typer.Option(metavar="A,B,C", help="Several methods in one run.", show_default=False)
    ] = None,
    out: Annotated[
        Path,
        typer.Option(help="Folder for rows.csv, summary.json and kernels/; an interrupted run continues."),
    ] = Path("runs/benchmark"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Drop the rows of an earlier run in the folder.")
    ] = False,
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
    encoding: Annotated[
        Encoding | None,
        typer.Option(help="Where the images were blurred; else as the data set says.", show_default=False),
    ] = None,
    grey: Annotated[bool, typer.Option("--grey", help="Restore and score the luma of the pairs.")] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, help="Number of pairs, spread evenly over the suite; all if not given.", show_default=False
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(metavar="A,B,C", help="Pairs of these names alone; * ? and [] as in a shell.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="For methods that draw random numbers.")] = 0,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="Where methods run: auto, cpu, cuda, cuda:N or mps.")
    ] = "cpu",
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes, of one thread each.")] = 1,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of the method; of several: METHOD.NAME=VALUE."),
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|FILE", help="For a trained method, in place of its own; of several: METHOD=NAME."),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(metavar="A,B,C", help=f"Add columns: {', '.join(METRICS)}.", show_default=False),
    ] = None,
    save_images: Annotated[
        bool, typer.Option("--save-images", help="Also keep the images, for the contact sheets of `unblur report`.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,  # noqa: ARG001 - for main
) -> int:
    """Restore images whose sharp truth is known, score them, and compare with published numbers."""
    chosen = protocol or find_suite(suite).protocol
    names = _choose_methods(method, methods)
    settings = _settings_of_each(names, setting or [])
    named_weights = _weights_of_each(names, weights or [])
    further = find_metrics([name.strip() for name in metrics.split(",")] if metrics else [])

    from rich.console import Console  # noqa: PLC0415 - answers about wrong use come without it

    from unblur.benchmarks.kinds import kind_table  # noqa: PLC0415 - rich
    from unblur.benchmarks.run import run_benchmarks  # noqa: PLC0415 - torch
    from unblur.benchmarks.tables import further_table, summary_table  # noqa: PLC0415

    runs = [
        BenchmarkOptions(
            suite=suite,
            method=name,
            protocol=chosen,
            out=out,
            settings=settings[name],
            weights=named_weights.get(name),
            encoding=encoding,
            grey=grey,
            data=data,
            pair_list=pairs,
            seed=seed,
            device=device,
            limit=limit,
            only=only,
            metrics=further,
            save_images=save_images,
            subfolder=name if len(names) > 1 else "",
        )
        for name in names
    ]
    summaries = run_benchmarks(runs, jobs=jobs, overwrite=overwrite, on_row=_say_row)
    console = Console()
    console.print(summary_table(summaries))
    for summary in summaries:
        if "kinds" in summary:
            console.print(kind_table(summary["kinds"], summary["method"]))
    if further:
        console.print(further_table(summaries))
    return 1 if any(summary["failed"] for summary in summaries) else 0


def _say_row(row: Row, done: int, total: int) -> None:
    if row.error:
        say(error_line(row.error, row.image))
    else:
        gain = f"{row.psnr:.2f} dB ({row.gain:+.2f})"
        say(f"{done} of {total}  {row.method}  {show_name(row.image)}: {gain}, {row.seconds:.2f} s")


def _choose_methods(one: str | None, several: str | None) -> list[str]:
    """The names after `--method` or `--methods`; the usual method if neither is given."""
    if one and several:
        raise UsageError("--method takes one name, --methods several; give one of the two")
    names = [name.strip() for name in several.split(",")] if several else [one or DEFAULT_METHOD]
    for name in names:
        find_entry(name)
    return names


def _settings_of_each(methods: Sequence[str], pairs: Sequence[str]) -> dict[str, dict[str, str]]:
    """The values of `--set`, by method: with several methods, the setting's name begins with the method's."""
    chosen: dict[str, dict[str, str]] = {method: {} for method in methods}
    for name, value in parse_settings(pairs).items():
        method, dot, own = name.partition(".")
        if dot and method in chosen:
            chosen[method][own] = value
        elif len(methods) == 1:
            chosen[methods[0]][name] = value
        else:
            raise SettingsError(f"with several methods, --set takes METHOD.NAME=VALUE; {name!r} names none of them")
    return chosen


def _weights_of_each(methods: Sequence[str], given: Sequence[str]) -> dict[str, str]:
    """The values of `--weights`, by method: with several methods, the method's name stands in front."""
    chosen: dict[str, str] = {}
    for value in given:
        method, equals, place = value.partition("=")
        if equals and method in methods:
            chosen[method] = place
        elif len(methods) == 1:
            chosen[methods[0]] = value
        else:
            raise UsageError(f"with several methods, --weights takes METHOD=NAME; {value!r} names none of them")
    for method in methods:
        choose_weights(method, chosen.get(method))
    return chosen
