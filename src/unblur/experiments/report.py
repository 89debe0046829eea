"""The result of an experiment as files: figures (PNG), tables (CSV), a page (Markdown), the record (JSON)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unblur.experiments.result import Cell, ExperimentResult, Table
from unblur.system.atomic import atomic_write, make_folder
from unblur.system.run_record import Record, make_record, record_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["markdown_of", "record_of", "write_result"]

_COLUMNS = ("what", "printed", "ours", "tolerance", "verdict", "note")


def write_result(result: ExperimentResult, record: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write everything into a folder; files of the same names are replaced.

    Args:
        result: The result.
        record: Record of the run, see `record_of`.
        folder: The folder; created if it does not exist.

    Returns:
        The files, the page first.

    Raises:
        OutputError: The folder cannot be written to.
    """
    make_folder(folder)
    files: dict[str, bytes] = {"report.md": markdown_of(result, record).encode()}
    files |= {f"{name}.png": _png(figure) for name, figure in result.figures.items()}
    files |= {f"{table.name}.csv": _csv(table) for table in result.tables}
    files["record.json"] = record_bytes(record)
    for name, data in files.items():
        atomic_write(folder / name, data, overwrite=True)
    return [folder / name for name in files]


def record_of(name: str, settings: Mapping[str, Any], seconds: float) -> Record:
    """Name and seconds of an experiment, and the record of the run."""
    return {"experiment": name, "seconds": round(seconds, 1), **make_record(settings)}


def markdown_of(result: ExperimentResult, record: Mapping[str, Any]) -> str:
    """The page."""
    settings = ", ".join(f"{name}={value}" for name, value in record["settings"].items())
    parts = [
        f"# {result.title}",
        f"Run on {record['date'][:10]} in {record['seconds']:g} s on {record['hardware']}; settings: {settings}.",
        *(f"![{name}]({name}.png)" for name in result.figures),
    ]
    if result.comparisons:
        parts += ["## Against the paper", _markdown_table(_COLUMNS, [astuple(item) for item in result.comparisons])]
    for table in result.tables:
        parts += [f"## {table.caption}", _markdown_table(table.columns, table.rows)]
    if any(result.notes):
        parts += ["## Notes", "\n".join(f"- {note}" for note in result.notes if note)]
    return "\n\n".join(parts) + "\n"


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    lines = [list(columns), ["---"] * len(columns), *([_words(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _words(cell: Cell) -> str:
    if isinstance(cell, float):
        return f"{cell:.4g}"
    return "" if cell is None else str(cell).replace("|", "\\|")


def _csv(table: Table) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return text.getvalue().encode()


def _png(figure: Figure) -> bytes:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=80)
    return data.getvalue()
