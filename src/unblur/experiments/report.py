"""The outcome of an experiment as files: figures (PNG), tables (CSV), a page to read (Markdown), the record (JSON)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unblur.experiments.result import Cell, Comparison, ExperimentResult, Table
from unblur.system.atomic import atomic_write, make_folder
from unblur.system.run_record import Record, make_record, record_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["markdown_of", "record_of", "write_outcome"]

_VERDICTS = {True: "yes", False: "no", None: "cannot be said"}


def write_outcome(outcome: ExperimentResult, record: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write everything into a folder; what lies there under the same names is replaced.

    Args:
        outcome: What came out.
        record: How it came about, see `record_of`.
        folder: Made if need be.

    Returns:
        The files, the one to read first.

    Raises:
        OutputError: The folder cannot be written to.
    """
    make_folder(folder)
    files: dict[str, bytes] = {"report.md": markdown_of(outcome, record).encode()}
    files |= {f"{name}.png": _png(figure) for name, figure in outcome.figures.items()}
    files |= {f"{table.name}.csv": _csv(table) for table in outcome.tables}
    files["record.json"] = record_bytes(record)
    for name, data in files.items():
        atomic_write(folder / name, data, overwrite=True)
    return [folder / name for name in files]


def record_of(name: str, settings: Mapping[str, Any], seconds: float) -> Record:
    """Which experiment ran, for how long, and the record of the run."""
    return {"experiment": name, "seconds": round(seconds, 1), **make_record(settings)}


def markdown_of(outcome: ExperimentResult, record: Mapping[str, Any]) -> str:
    """The page to read."""
    settings = ", ".join(f"{name}={value}" for name, value in record["settings"].items())
    parts = [
        f"# {outcome.title}",
        f"Run on {record['date'][:10]} in {record['seconds']:g} s on {record['hardware']}; settings: {settings}.",
        *(f"![{name}]({name}.png)" for name in outcome.figures),
        "## Against the paper",
        _markdown_table(
            ["what", "printed", "ours", "matches", "note"], [_comparison_row(item) for item in outcome.comparisons]
        ),
    ]
    for table in outcome.tables:
        parts += [f"## {table.caption}", _markdown_table(table.columns, table.rows)]
    if outcome.notes:
        parts += ["## Notes", "\n".join(f"- {note}" for note in outcome.notes)]
    return "\n\n".join(parts) + "\n"


def _comparison_row(item: Comparison) -> list[Cell]:
    return [item.claim, item.printed, item.ours, _VERDICTS[item.matches], item.note]


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
