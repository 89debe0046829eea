"""Suites: a data set together with the protocol that belongs to it. Nothing here imports torch before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from unblur.errors import UsageError
from unblur.metrics.protocols import Protocol

if TYPE_CHECKING:
    from unblur.datasets.pairs import PairedSet

__all__ = ["SUITES", "Suite", "find_suite", "open_suite"]


@dataclass(frozen=True)
class Suite:
    """A data set and how it is scored.

    Attributes:
        summary: One line for people.
        protocol: What is scored unless another protocol is asked for.
    """

    summary: str
    protocol: Protocol = "shift"


SUITES = {
    "levin": Suite("4 images x 8 photographed camera shakes, grey 255x255, measured kernels (Levin et al. 2009)"),
    "dublid-bsds": Suite("40 images x 4 straight motions, RGB 451x291, no noise (Li et al. 2020)"),
    "sun": Suite("40 photos x 8 measured kernels, RGB 1024 pixels, noise 0.01 (after Sun et al. 2013)"),
    "pairs": Suite("your own pairs, listed in a CSV file: blurry,sharp[,kernel] (--pairs)"),
}
"""Colours are those of the files: `levin` is grey, `dublid-bsds` and `sun` are RGB, `pairs` what the files hold."""


def find_suite(name: str) -> Suite:
    """The suite of that name.

    Raises:
        UsageError: There is none; the message lists the names.
    """
    if name not in SUITES:
        raise UsageError(f"there is no suite named {name!r}; choose one of: {', '.join(SUITES)}")
    return SUITES[name]


def open_suite(name: str, data: Path | None = None, table: Path | None = None) -> PairedSet:
    """The pairs of a suite.

    Args:
        name: A name in `SUITES`.
        data: Folder that holds the data sets; None: see `find_root`.
        table: The CSV file of `pairs`.

    Raises:
        UsageError: No such suite, `pairs` without a table, or a table with another suite.
        DataError: Data that are missing or incomplete.
    """
    find_suite(name)
    if (name == "pairs") != (table is not None):
        raise UsageError("the suite pairs, and only this one, goes with a list of pairs (--pairs FILE.csv)")
    if table is not None:
        from unblur.datasets.table import pairs_from_table  # noqa: PLC0415 - torch

        return pairs_from_table(table)
    from unblur.datasets.dublid import dublid_bsds  # noqa: PLC0415 - torch
    from unblur.datasets.folders import find_root  # noqa: PLC0415 - torch
    from unblur.datasets.levin import levin  # noqa: PLC0415 - torch
    from unblur.datasets.sun import sun  # noqa: PLC0415 - torch

    return {"levin": levin, "dublid-bsds": dublid_bsds, "sun": sun}[name](find_root(data))
