"""What an experiment returns: figures, tables, and comparisons of its numbers with the printed ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unblur.experiments.comparison import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Cell", "ExperimentResult", "Say", "Table"]

Cell = str | int | float | None
Say = Callable[[str], None]
"""Prints a line on the progress of an experiment."""


@dataclass(frozen=True)
class Table:
    """Rows under named columns.

    Attributes:
        name: Name of its CSV file, without ending.
        caption: What it shows, with units.
        columns: Names of the columns.
        rows: One sequence of cells for each row.
    """

    name: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class ExperimentResult:
    """Everything that an experiment found.

    Attributes:
        title: What was reproduced, with its place in the paper.
        figures: Figures by the name of their file.
        tables: Tables, each of which also becomes a CSV file.
        comparisons: Comparisons with the paper.
        notes: Sentences on method, data and limits; empty ones are left out.
    """

    title: str
    figures: Mapping[str, Figure]
    tables: Sequence[Table]
    comparisons: Sequence[Comparison]
    notes: Sequence[str] = field(default_factory=tuple[str, ...])
