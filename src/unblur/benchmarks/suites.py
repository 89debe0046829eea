"""Suites: data sets with their protocols. Torch is not imported before a suite is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from unblur.datasets import datasets, open_dataset
from unblur.errors import UsageError
from unblur.metrics.protocols import Protocol

if TYPE_CHECKING:
    from unblur.datasets.pairs import PairedSet

__all__ = ["Suite", "find_suite", "open_suite", "suites"]


@dataclass(frozen=True)
class Suite:
    """A data set and how it is scored.

    Attributes:
        summary: One line for people.
        protocol: Protocol unless another is given.
    """

    summary: str
    protocol: Protocol = "shift"


@cache
def suites() -> Mapping[str, Suite]:
    """Every data set with pairs, and `pairs`; by name. Colours are those of the files."""
    named = {
        name: Suite(entry.title, cast("Protocol", entry.protocol))
        for name, entry in datasets().items()
        if entry.kind == "pairs"
    }
    return {**named, "pairs": Suite("your own pairs, listed in a CSV file: blurry,sharp[,kernel] (--pairs)")}


def find_suite(name: str) -> Suite:
    """The suite of that name.

    Raises:
        UsageError: There is none; the message lists the names.
    """
    if name not in suites():
        raise UsageError(f"there is no suite named {name!r}; choose one of: {', '.join(suites())}")
    return suites()[name]


def open_suite(name: str, data: Path | None = None, pair_list: Path | None = None) -> PairedSet:
    """The pairs of a suite.

    Args:
        name: A name in `suites()`.
        data: Folder that holds the data sets; None: see `find_root`.
        pair_list: The CSV file of `pairs`.

    Raises:
        UsageError: No such suite, `pairs` without a list, or a list with another suite.
        DataError: Data that are missing or incomplete.
    """
    find_suite(name)
    if (name == "pairs") != (pair_list is not None):
        raise UsageError("the suite pairs, and only this one, goes with a list of pairs (--pairs FILE.csv)")
    if pair_list is not None:
        from unblur.datasets.pair_list import read_pair_list  # noqa: PLC0415 - torch

        return read_pair_list(pair_list)
    return open_dataset(name, data)
