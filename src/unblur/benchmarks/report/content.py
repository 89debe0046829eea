"""What a report says, before it is written as HTML or Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from unblur.benchmarks.report.runs import Run
from unblur.benchmarks.report.statistics import Interval

__all__ = ["Cell", "Grid", "Point", "Section", "Table"]


class Cell(NamedTuple):
    """One cell of a table: what it says, smaller print below, and whether it is the best of its column."""

    text: str
    small: str = ""
    best: bool = False


@dataclass(frozen=True)
class Table:
    """A table; the first column holds names, the others numbers, or text where `prose` says so.

    Attributes:
        title: Above it.
        headings: One for each column.
        rows: Cells in the order of the headings.
        note: Below it.
        prose: Places of columns with sentences.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    prose: tuple[int, ...] = ()


@dataclass(frozen=True)
class Grid:
    """Mean PSNR in dB of each method (a row) for each blur (a column); None where there is none."""

    methods: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]


class Point(NamedTuple):
    """One method's quality in dB against its median seconds an image."""

    method: str
    seconds: float
    psnr: Interval


@dataclass(frozen=True)
class Section:
    """All that is said of one suite under one protocol.

    Attributes:
        title: Suite and protocol.
        conditions: How each run was made, a sentence each.
        means: Every method's means.
        further: Means of metrics that were asked for; None without any.
        pairs: Differences between methods; None with a single one.
        published: Printed numbers with ours among them; None where none are known.
        grid: PSNR for each blur; None where the images of the suite do not share blurs.
        points: Quality against seconds.
        remarks: Failures and warnings; None where there are none.
        runs: The runs, for the contact sheets.
    """

    title: str
    conditions: tuple[str, ...]
    means: Table
    further: Table | None
    pairs: Table | None
    published: Table | None
    grid: Grid | None
    points: tuple[Point, ...]
    remarks: Table | None
    runs: tuple[Run, ...]
