"""Finished runs, read back from the folders that `unblur benchmark` wrote."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unblur.benchmarks.record import RECORD_NAME
from unblur.benchmarks.rows import Row, read_rows
from unblur.errors import DataError

__all__ = ["Run", "read_runs"]


@dataclass(frozen=True)
class Run:
    """One method's rows of one folder.

    Attributes:
        label: The method's name, with the folder's where several runs share it.
        folder: Where `rows.csv` lies.
        subfolder: Folder below `kernels` and `images` for this method; empty: they hold nothing else.
        rows: In the order of the suite.
        facts: The summary of the run; empty if it did not come to its end.
    """

    label: str
    folder: Path
    subfolder: str
    rows: tuple[Row, ...]
    facts: dict[str, Any]

    @property
    def method(self) -> str:
        """The method's name."""
        return self.rows[0].method

    @property
    def group(self) -> tuple[str, str]:
        """Suite and protocol: only runs that share both can be compared."""
        return self.rows[0].suite, self.rows[0].protocol

    @property
    def blurs(self) -> int:
        """Number of blurs that every image of the suite has; 1 where each image has its own."""
        return int(self.facts.get("blurs") or 1)


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """The runs in the folders, or in the folders inside them.

    Raises:
        DataError: A folder without rows, or rows of another version.
    """
    places = [place for folder in folders for place in _places(folder)]
    runs = [run for place in dict.fromkeys(places) for run in _read(place)]
    shared = Counter((run.group, run.label) for run in runs)
    return [
        replace(run, label=f"{run.label} ({run.folder.name})") if shared[run.group, run.label] > 1 else run
        for run in runs
    ]


def _places(folder: Path) -> list[Path]:
    if (folder / "rows.csv").is_file():
        return [folder]
    inside = sorted(path.parent for path in folder.glob("*/rows.csv"))
    if not inside:
        raise DataError(f"expected a folder that unblur benchmark wrote; {str(folder)!r} has no rows.csv")
    return inside


def _read(folder: Path) -> list[Run]:
    rows = read_rows(folder / "rows.csv")
    if not rows:
        raise DataError(f"the run in {str(folder)!r} has no finished rows")
    ordered = _json(folder / RECORD_NAME).get("settings", {}).get("methods") or []
    methods = list(dict.fromkeys([*map(str, ordered), *(row.method for row in rows)]))
    summary = _json(folder / "summary.json")
    runs: list[Run] = []
    for method in methods:
        own = sorted((row for row in rows if row.method == method), key=lambda row: row.index)
        if own:
            facts = summary.get("summaries", {}).get(method) or (summary if summary.get("method") == method else {})
            runs.append(Run(method, folder, method if len(methods) > 1 else "", tuple(own), facts))
    return runs


def _json(path: Path) -> dict[str, Any]:
    """What a file holds; empty where it is missing, which a run that was cut short explains."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DataError(f"{str(path)!r} is not the JSON that unblur benchmark writes") from error
    return found if isinstance(found, dict) else {}
