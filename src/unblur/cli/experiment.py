"""`unblur experiment`: reproduce a figure or table of a paper."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from unblur.cli.messages import say, show_name
from unblur.cli.options import parse_settings
from unblur.experiments.catalog import EXPERIMENTS, find_experiment, run_of, settings_class_of
from unblur.methods.settings import describe_settings, make_settings

__all__ = ["experiment"]


def experiment(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Name of an experiment; without one all are listed.",
            autocompletion=lambda: list(EXPERIMENTS),
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Short version, to check that it runs; its numbers mean little.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the results; by default runs/experiment/NAME.", show_default=False),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Setting of the experiment; may be repeated."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,  # noqa: ARG001 - for main
) -> None:
    """Reproduce a figure or table of a paper and compare it with the printed values."""
    if name is None:
        _print_list()
        return
    chosen = find_experiment(name)
    settings_class = settings_class_of(chosen)
    settings = make_settings(settings_class, {**(chosen.quick if quick else {}), **parse_settings(setting or [])})
    from unblur.experiments.report import record_of, write_result  # noqa: PLC0415 - wrong settings are reported before torch is imported

    started = time.perf_counter()
    result = run_of(chosen)(settings, say)
    record = record_of(name, asdict(settings), time.perf_counter() - started)
    for comparison in result.comparisons:
        tolerance = f" ({comparison.tolerance})" if comparison.tolerance else ""
        say(
            f"{comparison.claim}: printed {comparison.printed}, ours {comparison.ours}{tolerance}: {comparison.verdict}"
        )
    for path in write_result(result, record, out or Path("runs/experiment") / name):
        typer.echo(show_name(path))


def _print_list() -> None:
    for name, entry in EXPERIMENTS.items():
        typer.echo(f"{name}: {entry.summary}")
        if entry.needs:
            typer.echo(f"    needs {entry.needs}")
        for item in describe_settings(settings_class_of(entry)):
            typer.echo(f"    {item.name}={item.default}  {item.help}")
