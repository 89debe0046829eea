"""The means of a run, with the facts needed to compare them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from unblur.benchmarks.kinds import KIND_SUITES, summarise_kinds
from unblur.benchmarks.options import BenchmarkOptions
from unblur.benchmarks.rows import Row
from unblur.methods.apply import name_device
from unblur.system.atomic import atomic_write
from unblur.system.facts import run_facts

__all__ = ["Summary", "combine", "summarise", "write_summary"]

Summary = dict[str, Any]

SUCCESS = 3.0  # largest error ratio that counts as success: Levin et al., CVPR 2009

_MEANS = (
    "psnr", "ssim", "psnr_input", "ssim_input", "gain", "error_ratio", "error_ratio_spectral",
    "kernel_similarity", "kernel_rmse", "motion_error",
)  # fmt: skip


def summarise(rows: Sequence[Row], options: BenchmarkOptions, jobs: int, blurs: int = 1) -> Summary:
    """The summary of one method's rows, ready for JSON.

    `n` counts all images, `failed` those with an error. Means are over the images that have the value, null if none
    has. `success_share` is over all images of a run with known kernels, where a failed image is no success. `blurs`: so
    many pairs in a row show the same image with blurs that every image has.
    """
    return {
        "suite": options.suite,
        "method": options.method,
        "protocol": options.protocol,
        "n": len(rows),
        "failed": sum(bool(row.error) for row in rows),
        **{name: _mean(_values(rows, name)) for name in _MEANS},
        "success_share": _success_share(rows),
        "seconds_median": median(seconds) if (seconds := _values(rows, "seconds")) else None,
        "seconds_total": sum(seconds) if seconds else None,
        "peak_mb": max(_values(rows, "peak_mb"), default=None),
        "threads": max((row.threads for row in rows), default=1),
        "jobs": jobs,
        "seed": options.seed,
        "limit": options.limit,
        "only": options.only,
        "encoding": options.encoding,
        "grey": options.grey,
        "weights": _of_any(row.weights for row in rows),
        "weights_sha256": _of_any(row.weights_sha256 for row in rows),
        "settings": {name: str(value) for name, value in options.settings.items()},
        "blurs": blurs,
        **({"kinds": summarise_kinds(rows)} if options.suite in KIND_SUITES else {}),
        "metrics": {name: _mean(_further_values(rows, name)) for name in options.metrics},
        "device": name_device(options.device),
        **run_facts(),
    }


def combine(summaries: Sequence[Summary]) -> Summary:
    """The common part of the summaries of several methods, and each summary under its method."""
    shared = [name for name in summaries[0] if all(other[name] == summaries[0][name] for other in summaries)]
    own = {"method", "settings", "weights", "weights_sha256", "failed", "kinds", *_MEANS}
    return {
        "methods": [summary["method"] for summary in summaries],
        **{name: summaries[0][name] for name in shared if name not in own},
        "failed": sum(summary["failed"] for summary in summaries),
        "summaries": {summary["method"]: summary for summary in summaries},
    }


def write_summary(summary: Summary, path: Path) -> None:
    """Write a summary as JSON.

    Raises:
        OutputError: The folder cannot be written to.
    """
    text = json.dumps(summary, indent=2, allow_nan=False) + "\n"
    atomic_write(path, text.encode(), overwrite=True)


def _of_any(texts: Iterable[str]) -> str:
    """The first that is not empty: rows of failed images do not say everything."""
    return next(filter(None, texts), "")


def _values(rows: Sequence[Row], name: str) -> list[float]:
    return [value for row in rows if (value := getattr(row, name)) is not None]


def _further_values(rows: Sequence[Row], name: str) -> list[float]:
    values = (row.extra.get(name) for row in rows)
    return [value for value in values if value is not None and math.isfinite(value)]


def _mean(values: list[float]) -> float | None:
    mean = fmean(values) if values else None
    return mean if mean is not None and math.isfinite(mean) else None


def _success_share(rows: Sequence[Row]) -> float | None:
    ratios = _values(rows, "error_ratio")
    return sum(ratio <= SUCCESS for ratio in ratios) / len(rows) if ratios else None
