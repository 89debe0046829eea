"""Published numbers, read from `published.json`: one each of a method, data set, protocol and metric."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

__all__ = ["Published", "published_numbers", "published_results"]


class Published(NamedTuple):
    """One printed number.

    Attributes:
        method: Name in the paper.
        dataset: Name in our catalogue.
        protocol: Our protocol nearest to the paper's; `note` says where it differs.
        metric: A column of our rows.
        value: Value as printed.
        source: Paper and table.
        note: Differences to know before comparing.
    """

    method: str
    dataset: str
    protocol: str
    metric: str
    value: float
    source: str
    note: str = ""


@cache
def published_numbers() -> tuple[Published, ...]:
    """Every published number of the list."""
    entries = json.loads(files("unblur.benchmarks").joinpath("published.json").read_text(encoding="utf-8"))
    return tuple(Published(**entry) for entry in entries)


def published_results(dataset: str, protocol: str) -> list[dict[str, Any]]:
    """Published numbers of a data set under a protocol, best PSNR first.

    Returns:
        One mapping for each method and source, with `method`, `source`, `note` and the metrics by name.
    """
    results: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for number in published_numbers():
        if (number.dataset, number.protocol) == (dataset, protocol):
            result = results[number.method, number.source]
            result.update(method=number.method, source=number.source, note=number.note)
            result[number.metric] = number.value
    return sorted(results.values(), key=lambda result: -result.get("psnr", 0.0))
