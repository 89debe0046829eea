"""The report as Markdown: the tables of the page, for reading where it is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from unblur.benchmarks.report.content import Cell, Grid, Point, Section, Table

__all__ = ["make_text"]


def make_text(sections: Sequence[Section]) -> bytes:
    """The text, in UTF-8."""
    blocks = ["# unblur benchmark report"]
    for section in sections:
        blocks += _section(section)
    return ("\n\n".join(blocks) + "\n").encode("utf-8", "backslashreplace")


def _section(section: Section) -> list[str]:
    blocks = [f"## {_plain(section.title)}", *_table(section.means)]
    grid = _grid_table(section.grid) if section.grid else None
    points = _points_table(section.points) if section.points else None
    for table in (section.further, section.pairs, grid, points, section.published, section.remarks):
        blocks += _table(table) if table else []
    blocks.append("### How it was measured\n\n" + "\n".join(f"- {_plain(line)}" for line in section.conditions))
    blocks.append("The best, median and worst images are in report.html.")
    return blocks


def _table(table: Table) -> list[str]:
    kinds = ["---" if i == 0 or i in table.prose else "---:" for i in range(len(table.headings))]
    lines = [_line(map(_plain, table.headings)), _line(kinds), *(_line(map(_cell, row)) for row in table.rows)]
    blocks = [f"### {_plain(table.title)}", "\n".join(lines)]
    return [*blocks, _plain(table.note)] if table.note else blocks


def _grid_table(grid: Grid) -> Table:
    headings = ("method", *(f"kernel {i + 1}" for i in range(len(grid.values[0]))))
    rows = [
        (Cell(method), *(Cell("n/a" if value is None else f"{value:.2f}") for value in row))
        for method, row in zip(grid.methods, grid.values, strict=True)
    ]
    return Table("PSNR for each kernel, dB", headings, tuple(rows))


def _points_table(points: Sequence[Point]) -> Table:
    rows = [(Cell(p.method), Cell(f"{p.seconds:.3g}"), Cell(f"{p.psnr.mean:.2f}")) for p in points]
    return Table("Quality against seconds", ("method", "median seconds an image", "PSNR dB"), tuple(rows))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    text = f"**{_plain(cell.text)}**" if cell.best and cell.text else _plain(cell.text)
    return f"{text} ({_plain(cell.small)})" if cell.small and text else text


def _plain(text: str) -> str:
    """The text with every character that Markdown or HTML would take for its own written so that it stays itself."""
    one_line = " ".join(text.split())
    safe = one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", safe)
