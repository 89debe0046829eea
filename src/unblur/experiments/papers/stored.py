"""Values of stored runs: means with intervals, lines of a comparison, and the command that made a run."""

from __future__ import annotations

import csv
import json
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from unblur.benchmarks.columns import column_of
from unblur.benchmarks.report.runs import read_runs
from unblur.benchmarks.report.statistics import Interval, bootstrap_mean
from unblur.benchmarks.rows import Row
from unblur.errors import DataError, SettingsError
from unblur.experiments.catalog import find_experiment, settings_class_of
from unblur.experiments.comparison import Comparison
from unblur.methods.settings import make_settings

__all__ = ["StoredRun", "interval_words"]

_CELL = re.compile(r"(?<!\\)\|")


class StoredRun:
    """A folder of `results/`.

    Args:
        folder: Where it lies.

    Raises:
        DataError: There is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise DataError(f"the run {folder.name!r} is cited, and {str(folder.parent)!r} does not hold it")
        self.folder = folder

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    def values(self, metric: str) -> list[float]:
        """A column of a benchmark's rows, images that have it."""
        found = (getattr(row, metric) for row in self.rows)
        return [value for value in found if value is not None and math.isfinite(value)]

    def measured(self, metric: str) -> str:
        """Mean of a column with its interval and the number of images; of seconds the median."""
        values = self.values(metric)
        if metric == "seconds":
            return f"{median(values):.2f} s; {_images(len(values))}"
        form = column_of(metric).form
        return f"{interval_words(self.mean(metric), form)}; {_images(len(values))}"

    def mean(self, metric: str) -> Interval:
        """Mean of a column with its 95% interval over the images.

        Raises:
            DataError: No image has it.
        """
        return self._interval(self.values(metric), metric)

    def claim(self, claim: str) -> Comparison:
        """The line of that name of the run's comparison with the paper.

        Raises:
            DataError: There is none.
        """
        for line in (self.folder / "report.md").read_text(encoding="utf-8").splitlines():
            cells = [cell.strip().replace("\\|", "|") for cell in _CELL.split(line)[1:-1]]
            if len(cells) == len(Comparison.__dataclass_fields__) and cells[0] == claim:
                return Comparison(*cells)  # type: ignore[arg-type]  # the verdict is one of its words
        raise DataError(f"the report of {self.name!r} has no line {claim!r}")

    def cell(self, table: str, column: str, where: Mapping[str, str], without: Mapping[str, str]) -> str:
        """Mean of a column over the rows that agree with `where` and with nothing of `without`.

        Raises:
            DataError: No row is left.
        """
        with (self.folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            rows = [
                row for row in csv.DictReader(file) if _agrees(row, where) and not (without and _agrees(row, without))
            ]
        values = [float(row[column]) for row in rows]
        words = interval_words(self._interval(values, f"{table}.csv, {column}"), "{:.4g}")
        return words if len(values) == 1 else f"{words}; {len(values)} rows"

    @cached_property
    def rows(self) -> Sequence[Row]:
        """Rows of a benchmark of one method."""
        (run,) = read_runs([self.folder])
        return run.rows

    @property
    def command(self) -> str:
        """What made the run, from its record: settings that differ from the defaults of today."""
        summary = self.folder / "summary.json"
        return _benchmark(_json(summary)) if summary.is_file() else _experiment(_json(self.folder / "record.json"))

    def _interval(self, values: Sequence[float], what: str) -> Interval:
        interval = bootstrap_mean(values)
        if interval is None:
            raise DataError(f"the run {self.name!r} has no values of {what}")
        return interval


def interval_words(interval: Interval, form: str) -> str:
    """A mean, and its interval where there is more than one value."""
    mean, low, high = (form.format(value) for value in interval)
    return mean if interval.low == interval.high else f"{mean} ({low} to {high})"


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _agrees(row: Mapping[str, str], values: Mapping[str, str]) -> bool:
    return all(row[name] == value for name, value in values.items())


def _benchmark(summary: Mapping[str, Any]) -> str:
    words = ["unblur", "benchmark", summary["suite"], "--method", summary["method"]]
    words += ["--weights", summary["weights"]] if summary.get("weights") else []
    words += [word for name, value in summary["settings"].items() for word in ("--set", f"{name}={value}")]
    words += [word for name in ("limit", "only") if summary.get(name) for word in (f"--{name}", str(summary[name]))]
    return shlex.join([*words, *(["--grey"] if summary.get("grey") else [])])


def _experiment(record: Mapping[str, Any]) -> str:
    name = record["experiment"]
    settings = settings_class_of(find_experiment(name))
    usual = asdict(settings())
    changed = {key: value for key, value in record["settings"].items() if usual.get(key) != value}
    given = {key: value for key, value in changed.items() if _is_taken(settings, key, value)}
    words = [word for key, value in given.items() for word in ("--set", f"{key}={value}")]
    return shlex.join(["unblur", "experiment", name, *words])


def _is_taken(settings: type[Any], name: str, value: Any) -> bool:
    """Whether a setting of an earlier version still exists and takes the value."""
    try:
        make_settings(settings, {name: value})
    except SettingsError:
        return False
    return True


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
