"""What an experiment answers: figures, tables, and how its numbers compare with the printed ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Cell", "Comparison", "ExperimentResult", "Say", "Table"]

Cell = str | int | float | None
Say = Callable[[str], None]
"""Tells the user how far an experiment is."""


@dataclass(frozen=True)
class Table:
    """Rows under named columns.

    Attributes:
        name: Of its CSV file, without ending.
        caption: What it shows, with units.
    """

    name: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Comparison:
    """One statement of the paper against what came out here.

    Attributes:
        claim: What is compared.
        printed: As the paper has it.
        ours: As it came out.
        matches: Whether the claim holds; None: nothing can be said (other data, other hardware).
        note: Why, or what differs.
    """

    claim: str
    printed: str
    ours: str
    matches: bool | None = None
    note: str = ""


@dataclass(frozen=True)
class ExperimentResult:
    """Everything that an experiment found.

    Attributes:
        title: What was reproduced, with its place in the paper.
        figures: Drawn, by the name of their file.
        tables: Each also becomes a CSV file.
        comparisons: With the paper.
        notes: Sentences on method, data and limits.
    """

    title: str
    figures: Mapping[str, Figure]
    tables: Sequence[Table]
    comparisons: Sequence[Comparison]
    notes: Sequence[str] = field(default_factory=tuple[str, ...])
