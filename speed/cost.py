"""What restoring many photos costs, from stored runs: the tables of docs/cluster.md.

    python speed/cost.py

Processor time and memory come from `results/`; sizes of photos and requests to stores are stated below.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results"
NODE_CORES = 16
DAYS = 30
BYTES_IN = 2.8e6
"""Of the phone photo of 16 megapixels that `speed/cluster.py` was run with."""
BYTES_OUT = 2 * BYTES_IN
"""Assumed: JPEG at quality 95, as written by default, for what phones write smaller."""
REQUESTS = {"HEAD": 5, "GET": 1, "LIST": 3, "PUT": 2}
"""For one photo from S3 to S3, counted at the server of the tests."""
COUNTS = {"10 thousand": 1e4, "10 million": 1e7, "a billion": 1e9}


@dataclass(frozen=True)
class Cost:
    """One photo with one method: processor seconds, and peak memory in MB."""

    what: str
    seconds: float
    peak_mb: float
    run: str


def costs() -> list[Cost]:
    """The measured ones."""
    speed = "2026-11-21-speed-map"
    photos = json.loads((RESULTS / speed / "summary.json").read_text())["photos"]
    suite = "2026-12-01-photos95-auto"
    with (RESULTS / suite / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    # The mean, not the median: the sum is what many photos cost.
    auto = sum(float(row["seconds"]) for row in rows) / len(rows)
    return [
        *(Cost(f"`map`, {size}", one["processor_seconds"], one["peak_mb"], speed) for size, one in photos.items()),
        Cost("`auto`, the suite `photos`", auto, max(float(row["peak_mb"]) for row in rows), suite),
    ]


def tables() -> str:
    """Both tables in Markdown."""
    lines = [
        "| Method and photo | Processor seconds | Photos an hour, a core | Peak memory | 16 cores | Measured in |",
        "|---|---|---|---|---|---|",
    ]
    for cost in costs():
        hour, memory = 3600 / cost.seconds, NODE_CORES * cost.peak_mb / 1e3
        run = f"[{cost.run}](../results/{cost.run})"
        lines.append(
            f"| {cost.what} | {cost.seconds:.1f} | {hour:.0f} | {cost.peak_mb / 1e3:.2f} GB"
            f" | {NODE_CORES * hour:,.0f} an hour, {memory:.0f} GB | {run} |"
        )
    auto = costs()[-1].seconds
    lines += [
        "",
        f"| Photos, with `auto` | Core hours | Cores for {DAYS} days | Read | Written | Requests |",
        "|---|---|---|---|---|---|",
    ]
    for name, count in COUNTS.items():
        hours = count * auto / 3600
        cores = max(1, round(hours / (24 * DAYS)))
        read, written = count * BYTES_IN / 1e12, count * BYTES_OUT / 1e12
        requests = count * sum(REQUESTS.values()) / 1e6
        lines.append(
            f"| {name} | {hours:,.0f} | {cores:,} | {read:,.2f} TB | {written:,.2f} TB | {requests:,.1f} million |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(tables())
