"""A run's means as a table for the terminal, with the published numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table

from unblur.benchmarks.columns import column_of
from unblur.benchmarks.published import published_results
from unblur.benchmarks.summary import Summary

__all__ = ["further_table", "summary_table"]

_SHOWN = ("psnr", "ssim", "gain", "error_ratio", "error_ratio_spectral", "kernel_rmse", "success_share")


def summary_table(summaries: Sequence[Summary]) -> Table:
    """The methods of a run, the blurry input, and below them published numbers of the same data set and protocol."""
    first = summaries[0]
    published = published_results(first["suite"], first["protocol"])
    notes = list(dict.fromkeys(_note(result) for result in published))
    failed = sum(summary["failed"] for summary in summaries)
    table = Table(
        title=f"{first['suite']}: {first['n']} images, protocol {first['protocol']}, {failed} failed",
        caption="\n".join([*map(_conditions, summaries), *(f"[{i}] {note}" for i, note in enumerate(notes, 1))]),
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("method", no_wrap=True, vertical="bottom")
    for name in _SHOWN:
        heading = column_of(name).heading.replace(" ", "\n", 1)
        table.add_column(heading, justify="right", no_wrap=True, vertical="bottom")
    for summary in summaries:
        table.add_row(summary["method"], *_cells(summary), style="bold")
    if all(summary["method"] != "input" for summary in summaries):
        table.add_row("blurry input", *_cells({"psnr": first["psnr_input"], "ssim": first["ssim_input"]}))
    table.add_section()
    for result in published:
        table.add_row(f"{result['method']} [{notes.index(_note(result)) + 1}]", *_cells(result), style="dim")
    return table


def further_table(summaries: Sequence[Summary]) -> Table:
    """The means of the metrics that were asked for; n/a: the warnings in the rows say why."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("method", no_wrap=True)
    for name in summaries[0]["metrics"]:
        table.add_column(name, justify="right")
    for summary in summaries:
        table.add_row(summary["method"], *(_cell(*item, missing="n/a") for item in summary["metrics"].items()))
    return table


def _cells(result: dict[str, Any]) -> list[str]:
    return [_cell(name, result.get(name)) for name in _SHOWN]


def _cell(name: str, value: float | None, missing: str = "") -> str:
    return missing if value is None else column_of(name).form.format(value)


def _note(result: dict[str, Any]) -> str:
    return "; ".join(filter(None, [result["source"], result["note"]]))


def _conditions(summary: dict[str, Any]) -> str:
    threads = "1 thread" if summary["threads"] == 1 else f"{summary['threads']} threads"
    seconds = "" if summary["seconds_median"] is None else f"median {summary['seconds_median']:.2f} s an image on "
    place = f"{seconds}{threads}; {summary['hardware']}"
    return f"{summary['method']}: {place}; seed {summary['seed']}; {summary['date'][:10]}"
