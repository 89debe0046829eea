"""A run's means as a table for people, with the published numbers beside."""

from __future__ import annotations

import json
from collections import defaultdict
from importlib.resources import files
from typing import Any

from rich.table import Table

__all__ = ["published_results", "summary_table"]

_COLUMNS = {
    "psnr": ("PSNR dB", "{:.2f}"),
    "ssim": ("SSIM", "{:.3f}"),
    "gain": ("gain dB", "{:+.2f}"),
    "error_ratio": ("error ratio", "{:.2f}"),
    "error_ratio_spectral": ("(spectral)", "{:.3f}"),
    "kernel_rmse": ("kernel RMSE", "{:.5f}"),
    "success_share": ("success", "{:.1%}"),
    "seconds_median": ("seconds", "{:.2f}"),
}


def published_results(dataset: str, protocol: str) -> list[dict[str, Any]]:
    """What papers print for a data set under a protocol, best PSNR first.

    Returns:
        One mapping for each method and source, with `method`, `source`, `note` and the metrics by name.
    """
    entries = json.loads(files("unblur.benchmarks").joinpath("published.json").read_text(encoding="utf-8"))
    results: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for entry in entries:
        if (entry["dataset"], entry["protocol"]) == (dataset, protocol):
            result = results[entry["method"], entry["source"]]
            result.update(method=entry["method"], source=entry["source"], note=entry.get("note", ""))
            result[entry["metric"]] = entry["value"]
    return sorted(results.values(), key=lambda result: -result.get("psnr", 0.0))


def summary_table(summary: dict[str, Any]) -> Table:
    """This run, the blurry input, and below them what papers print for the same data set and protocol."""
    title = f"{summary['suite']}: {summary['n']} images, protocol {summary['protocol']}, {summary['failed']} failed"
    table = Table(title=title, caption=_caption(summary), title_justify="left", caption_justify="left")
    table.add_column("method")
    for heading, _ in _COLUMNS.values():
        table.add_column(heading, justify="right")
    table.add_column("source")
    ours = {"method": summary["method"], "source": f"this run, {summary['date'][:10]}", **summary}
    blurry = {"psnr": summary["psnr_input"], "ssim": summary["ssim_input"]}
    _add(table, ours, style="bold")
    _add(table, {"method": "blurry input", "source": "this run", **blurry})
    published = published_results(summary["suite"], summary["protocol"])
    if published:
        table.add_section()
    for result in published:
        note = f"; {result['note']}" if result["note"] else ""
        _add(table, {**result, "source": result["source"] + note}, style="dim")
    return table


def _add(table: Table, result: dict[str, Any], style: str | None = None) -> None:
    cells = ["" if (value := result.get(name)) is None else form.format(value) for name, (_, form) in _COLUMNS.items()]
    table.add_row(result["method"], *cells, result["source"], style=style)


def _caption(summary: dict[str, Any]) -> str:
    commit = summary["commit"] or "no commit known"
    return f"{summary['hardware']}; {summary['threads']} thread(s) an image; seed {summary['seed']}; {commit}"
