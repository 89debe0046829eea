"""What a report says of the runs: everything that is computed from their rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean, median
from typing import NamedTuple

from unblur.benchmarks.published import Published, published_numbers
from unblur.benchmarks.report.content import Cell, Grid, Point, Section, Table
from unblur.benchmarks.report.runs import Run
from unblur.benchmarks.report.statistics import Interval, bootstrap_mean, paired_difference
from unblur.metrics.catalog import METRICS

__all__ = ["make_sections"]


class _Column(NamedTuple):
    """A measurement of the rows in a table of means; `better` is empty where nothing says which values are."""

    heading: str
    measured: str
    form: str
    better: str = "higher"


_INTERVALS = (
    _Column("PSNR dB", "psnr", "{:.2f}"),
    _Column("SSIM", "ssim", "{:.3f}"),
    _Column("gain dB", "gain", "{:+.2f}"),
    _Column("error ratio", "error_ratio", "{:.2f}", "lower"),
    _Column("kernel similarity", "kernel_similarity", "{:.3f}"),
    _Column("motion error px²", "motion_error", "{:.2f}", "lower"),
)
_PRINTED = {
    "psnr": ("PSNR dB", "{:.2f}"), "ssim": ("SSIM", "{:.3f}"), "gain": ("gain dB", "{:+.2f}"),
    "error_ratio": ("error ratio", "{:.2f}"), "error_ratio_spectral": ("spectral ratio", "{:.3f}"),
    "kernel_rmse": ("kernel RMSE", "{:.5f}"), "lpips": ("LPIPS", "{:.4f}"), "niqe": ("NIQE", "{:.3f}"),
}  # fmt: skip
_SUCCESS = 3.0
_MOST_REMARKS = 30


def make_sections(runs: Sequence[Run]) -> list[Section]:
    """One section for each suite and protocol, in the order in which they come."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault(run.group, []).append(run)
    return [_section(group, own) for group, own in groups.items()]


def _section(group: tuple[str, str], runs: Sequence[Run]) -> Section:
    points = [
        Point(run.label, median(seconds), psnr)
        for run in runs
        if (seconds := _values(run, "seconds")) and (psnr := bootstrap_mean(_values(run, "psnr")))
    ]
    return Section(
        title=f"{group[0]}, protocol {group[1]}",
        conditions=tuple(_conditions(run) for run in runs),
        means=_means(runs),
        further=_further(runs),
        pairs=_pairs(runs),
        published=_published(group, runs),
        grid=_grid(runs),
        points=tuple(points),
        remarks=_remarks(runs),
        runs=tuple(runs),
    )


def _conditions(run: Run) -> str:
    facts = run.facts
    if not facts:
        return f"{run.label}: not finished, {len(run.rows)} rows so far; run the same command again to go on."
    settings = ", ".join(f"{name}={value}" for name, value in (facts.get("settings") or {}).items())
    threads = "1 thread" if run.rows[0].threads == 1 else f"{run.rows[0].threads} threads"
    commit, _, dirty = str(facts.get("commit")).partition("+")
    version = f"unblur {facts.get('version')} at {commit[:12]}{' with changes' if dirty else ''}"
    place = f"{run.label}: {len(run.rows)} images, {threads} on {facts.get('hardware')}"
    chosen = f"seed {facts.get('seed')}; {settings or 'default settings'}"
    return f"{place}; {version}, torch {facts.get('torch')}; {str(facts.get('date'))[:10]}; {chosen}."


def _means(runs: Sequence[Run]) -> Table:
    columns = [column for column in _INTERVALS if any(_values(run, column.measured) for run in runs)]
    by_column = [_interval_cells(runs, column) for column in columns]
    rows: list[tuple[Cell, ...]] = [
        (
            Cell(run.label),
            Cell(
                str(len(run.rows)), f"{failed} failed" if (failed := sum(bool(row.error) for row in run.rows)) else ""
            ),
            *(cells[place] for cells in by_column),
            _share_cell(run),
            Cell(_number(_median(run, "seconds"), "{:.2f}")),
            Cell(_number(max(_values(run, "peak_mb"), default=None), "{:.0f}")),
        )
        for place, run in enumerate(runs)
    ]
    if all(run.method != "input" for run in runs):
        rows.append(_input_row(runs[0], columns))
    headings = ("method", "images", *(column.heading for column in columns), "ratio <= 3", "s an image", "peak MB")
    note = "Means with 95% bootstrap intervals over images; median seconds; largest memory of a process."
    return Table("Means", headings, tuple(rows), note)


def _further(runs: Sequence[Run]) -> Table | None:
    names = list(dict.fromkeys(name for run in runs for row in run.rows for name in row.extra))
    if not names:
        return None
    by_column = [_interval_cells(runs, _further_column(name)) for name in names]
    rows = tuple((Cell(run.label), *(cells[place] for cells in by_column)) for place, run in enumerate(runs))
    explained = [
        f"{name}: {METRICS[name].summary}, {METRICS[name].better} is better" for name in names if name in METRICS
    ]
    return Table("Further metrics", ("method", *names), rows, "; ".join([*explained, "n/a: see the remarks"]) + ".")


def _further_column(name: str) -> _Column:
    metric = METRICS.get(name)
    form, better = (metric.form, metric.better) if metric else ("{:.3f}", "")
    return _Column(name, name, form, better)


def _interval_cells(runs: Sequence[Run], column: _Column) -> list[Cell]:
    intervals = [bootstrap_mean(_values(run, column.measured)) for run in runs]
    means = [interval.mean for interval in intervals if interval]
    best = (max(means) if column.better == "higher" else min(means)) if len(means) > 1 and column.better else None
    return [
        Cell(column.form.format(i.mean), _between(i, column.form), i.mean == best) if i else Cell("n/a")
        for i in intervals
    ]


def _share_cell(run: Run) -> Cell:
    ratios = _values(run, "error_ratio")
    if not ratios:
        return Cell("n/a")
    good = sum(ratio <= _SUCCESS for ratio in ratios)
    return Cell(f"{good / len(run.rows):.0%}", f"{good} of {len(run.rows)}")


def _input_row(run: Run, columns: Sequence[_Column]) -> tuple[Cell, ...]:
    blurry = {
        "PSNR dB": bootstrap_mean(_values(run, "psnr_input")),
        "SSIM": bootstrap_mean(_values(run, "ssim_input")),
    }
    cells = [
        Cell(column.form.format(i.mean), _between(i, column.form)) if (i := blurry.get(column.heading)) else Cell("")
        for column in columns
    ]
    return Cell("blurry input"), Cell(str(len(run.rows))), *cells, Cell(""), Cell(""), Cell("")


def _pairs(runs: Sequence[Run]) -> Table | None:
    rows: list[tuple[Cell, ...]] = []
    for first, second in combinations(runs, 2):
        cells = [Cell(f"{first.label} - {second.label}")]
        for measured, form in (("psnr", "{:+.2f}"), ("ssim", "{:+.3f}")):
            apart = paired_difference(_by_index(first, measured), _by_index(second, measured))
            if apart is None:
                cells += [Cell("n/a"), Cell("n/a")]
                continue
            cells += [
                Cell(form.format(apart.mean.mean), _between(apart.mean, form)),
                Cell(f"{apart.higher:.0%}", f"of {apart.images}"),
            ]
        rows.append(tuple(cells))
    headings = ("difference", "PSNR dB", "higher on", "SSIM", "higher on")
    note = "Image by image, with 95% bootstrap intervals; chance hardly explains a difference whose interval has no 0."
    return Table("Paired differences", headings, tuple(rows), note) if rows else None


def _published(group: tuple[str, str], runs: Sequence[Run]) -> Table | None:
    suite, protocol = group
    printed: dict[tuple[str, str, str], list[Published]] = {}
    for number in published_numbers():
        if number.dataset == suite:
            printed.setdefault((number.method, number.source, number.protocol), []).append(number)
    if not printed:
        return None
    shown = [name for name in _PRINTED if any(number.metric == name for own in printed.values() for number in own)]
    lines = [_our_line(run, shown) for run in runs]
    for (method, source, theirs), own in printed.items():
        differs = f"protocol differs: {theirs}, ours {protocol}" if theirs != protocol else ""
        notes = list(dict.fromkeys([differs, *(number.note for number in own)]))
        values = {number.metric: number.value for number in own}
        lines.append((values, method, source, "; ".join(filter(None, notes))))
    lines.sort(key=lambda line: -line[0].get("psnr", -math.inf))
    rows = tuple(
        (
            Cell(method, best=source == _OURS),
            *(Cell(_number(values.get(name), _PRINTED[name][1])) for name in shown),
            Cell(source, note),
        )
        for values, method, source, note in lines
    )
    headings = ("method", *(_PRINTED[name][0] for name in shown), "source and what differs")
    note = "Ours in bold. Other people's numbers are as printed; they were not computed here."
    return Table("Beside published numbers", headings, rows, note, prose=(len(headings) - 1,))


_OURS = "this report"


def _our_line(run: Run, shown: Sequence[str]) -> tuple[dict[str, float], str, str, str]:
    values: dict[str, float] = {}
    for name in shown:
        if found := _values(run, name):
            values[name] = fmean(found)
    is_part = not run.facts or any(run.facts.get(name) for name in ("limit", "only"))
    part = f"{len(run.rows)} images of the suite" if is_part else ""
    return values, run.label, _OURS, part


def _grid(runs: Sequence[Run]) -> Grid | None:
    blurs = max(run.blurs for run in runs)
    if blurs == 1:
        return None
    values = tuple(
        tuple(_mean([row.psnr for row in run.rows if row.index % blurs == blur]) for blur in range(blurs))
        for run in runs
    )
    return Grid(tuple(run.label for run in runs), values)


def _remarks(runs: Sequence[Run]) -> Table | None:
    failures = [(run.label, row.image, f"failed: {row.error}") for run in runs for row in run.rows if row.error]
    told = Counter((run.label, row.warnings) for run in runs for row in run.rows if row.warnings)
    lines = [*failures, *((label, f"{count} images", sentence) for (label, sentence), count in told.most_common())]
    if not lines:
        return None
    rows = tuple(tuple(map(Cell, line)) for line in lines[:_MOST_REMARKS])
    note = f"{len(lines) - _MOST_REMARKS} more are in rows.csv." if len(lines) > _MOST_REMARKS else ""
    return Table("Remarks", ("method", "where", "what"), rows, note, prose=(1, 2))


def _values(run: Run, measured: str) -> list[float]:
    return list(_by_index(run, measured).values())


def _by_index(run: Run, measured: str) -> dict[int, float]:
    """What was measured on each image, where it is a finite number; a column of the rows or a further metric."""
    found = {row.index: row.extra.get(measured, getattr(row, measured, None)) for row in run.rows}
    return {index: value for index, value in found.items() if value is not None and math.isfinite(value)}


def _median(run: Run, measured: str) -> float | None:
    return median(found) if (found := _values(run, measured)) else None


def _mean(values: Sequence[float | None]) -> float | None:
    finite = [value for value in values if value is not None and math.isfinite(value)]
    return fmean(finite) if finite else None


def _number(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)


def _between(interval: Interval, form: str) -> str:
    return f"{form.format(interval.low)} to {form.format(interval.high)}"
