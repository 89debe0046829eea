"""The suite `photos` kind by kind: what helped, what harmed, and what did nothing without a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any

from rich import box
from rich.table import Table

from unblur.benchmarks.rows import Row
from unblur.datasets.photo_kinds.names import is_sharp_kind, kind_of_pair

__all__ = ["KIND_SUITES", "kind_table", "summarise_kinds"]

KIND_SUITES = frozenset({"photos", "photos-large"})
"""Suites whose photos are of kinds."""
_HARM = -0.5
_LITTLE = 0.5
_UNTOUCHED = 42.0
"""PSNR in dB between a sharp photo and its answer from which nobody sees a change."""

_FORMS = {
    "n": "{}",
    "gain": "{:+.2f}",
    "worst": "{:+.2f}",
    "harmful": "{}",
    "silent": "{}",
    "refused": "{}",
    "untouched": "{}",
    "seconds": "{:.1f}",
}


def summarise_kinds(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """For each kind of the rows: counts, mean and worst gain in dB, and the median of the seconds.

    `harmful` are answers that lose more than 0.5 dB, of sharp photos those below 42 dB from the photo; `refused` ones
    came back unchanged with a warning; `silent` ones gain less than 0.5 dB without one (blurred kinds alone);
    `untouched` sharp ones are equal to the photo, or 42 dB and more from it.
    """
    kinds = dict.fromkeys(kind_of_pair(row.image) for row in rows)
    return {kind: _summarise(kind, [row for row in rows if kind_of_pair(row.image) == kind]) for kind in kinds}


def kind_table(kinds: Mapping[str, Mapping[str, Any]], method: str) -> Table:
    """The kinds as a table for people."""
    table = Table(title=f"{method}, kind by kind", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("kind", no_wrap=True)
    for name in _FORMS:
        table.add_column(name, justify="right")
    for kind, values in kinds.items():
        cells = ["" if values[name] is None else form.format(values[name]) for name, form in _FORMS.items()]
        table.add_row(kind, *cells)
    return table


def _summarise(kind: str, rows: Sequence[Row]) -> dict[str, Any]:
    scored = [row for row in rows if row.gain is not None]
    gains = [row.gain for row in scored if row.gain is not None]
    sharp = is_sharp_kind(kind)
    untouched = sum(_is_untouched(row) for row in scored)
    refused = sum(bool(row.warnings) and row.gain == 0 for row in scored)
    silent = sum(gain < _LITTLE and not row.warnings for gain, row in zip(gains, scored, strict=True))
    return {
        "n": len(rows),
        "gain": fmean(gains) if gains else None,
        "worst": min(gains, default=None),
        "harmful": len(scored) - untouched if sharp else sum(gain < _HARM for gain in gains),
        "silent": None if sharp else silent,
        "refused": refused,
        "untouched": untouched if sharp else None,
        "seconds": median(row.seconds or 0.0 for row in scored) if scored else None,
    }


def _is_untouched(row: Row) -> bool:
    return row.change is not None and row.change >= _UNTOUCHED
