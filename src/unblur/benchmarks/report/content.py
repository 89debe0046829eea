"""The content of a report, before it is rendered as HTML or Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from unblur.benchmarks.report.runs import Run
from unblur.benchmarks.report.statistics import Interval

__all__ = ["Cell", "Point", "ReportTable", "Section"]


class Cell(NamedTuple):
    """One cell of a table.

    Attributes:
        text: Its content.
        small: Smaller print below.
        best: Whether it is the best of its column.
        share: Its place between the least (0) and the largest (1) value of the table, shown as a colour; None: none.
    """

    text: str
    small: str = ""
    best: bool = False
    share: float | None = None


@dataclass(frozen=True)
class ReportTable:
    """A table; the first column holds names, the others numbers, or text where `prose` says so.

    Attributes:
        title: Heading above it.
        headings: One for each column.
        rows: Cells in the order of the headings.
        note: Sentence below it.
        prose: Indices of columns with sentences.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    prose: tuple[int, ...] = ()


class Point(NamedTuple):
    """One method in the chart of quality against time.

    Attributes:
        method: Label of the method.
        seconds: Median time an image.
        psnr: Mean in dB with its interval.
    """

    method: str
    seconds: float
    psnr: Interval


@dataclass(frozen=True)
class Section:
    """Everything about one suite under one protocol.

    Attributes:
        title: Suite and protocol.
        conditions: How each run was made, a sentence each.
        tables: Means first, then further metrics, differences between methods, PSNR for each kernel, published
            numbers and remarks, as far as the runs have them.
        points: Quality against time, one for each method that restored an image.
        runs: The runs, for the contact sheets.
    """

    title: str
    conditions: tuple[str, ...]
    tables: tuple[ReportTable, ...]
    points: tuple[Point, ...]
    runs: tuple[Run, ...]
