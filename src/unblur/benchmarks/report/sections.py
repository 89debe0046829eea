"""The sections of a report: everything that is computed from the rows of the runs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean, median

from unblur.benchmarks.columns import column_of
from unblur.benchmarks.published import Published, published_numbers
from unblur.benchmarks.report.content import Cell, Point, ReportTable, Section
from unblur.benchmarks.report.runs import Run
from unblur.benchmarks.report.statistics import Interval, bootstrap_mean, paired_difference
from unblur.benchmarks.summary import SUCCESS
from unblur.metrics.catalog import METRICS

__all__ = ["make_sections"]

_MEANS = ("psnr", "ssim", "gain", "error_ratio", "kernel_similarity", "motion_error")
_PRINTED = ("psnr", "ssim", "gain", "error_ratio", "error_ratio_spectral", "kernel_rmse", "lpips", "niqe")
_MOST_REMARKS = 30
_OURS = "this report"


def make_sections(runs: Sequence[Run]) -> list[Section]:
    """One section for each suite and protocol, in the order in which they come."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault(run.group, []).append(run)
    return [_section(group, own) for group, own in groups.items()]


def _section(group: tuple[str, str], runs: Sequence[Run]) -> Section:
    tables = (_means(runs), _further(runs), _differences(runs), _kernels(runs), _published(group, runs), _remarks(runs))
    points = [
        Point(run.label, median(seconds), psnr)
        for run in runs
        if (seconds := _values(run, "seconds")) and (psnr := bootstrap_mean(_values(run, "psnr")))
    ]
    return Section(
        title=f"{group[0]}, protocol {group[1]}",
        conditions=tuple(_conditions(run) for run in runs),
        tables=tuple(table for table in tables if table),
        points=tuple(points),
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


def _means(runs: Sequence[Run]) -> ReportTable:
    names = [name for name in _MEANS if any(_values(run, name) for run in runs)]
    by_column = [_interval_cells(runs, name) for name in names]
    rows = [_means_row(run, [cells[place] for cells in by_column]) for place, run in enumerate(runs)]
    if all(run.method != "input" for run in runs):
        rows.append(_input_row(runs[0], names))
    measured = (column_of(name).heading for name in names)
    headings = ("method", "images", *measured, column_of("success_share").heading, "s an image", "peak MB")
    note = "Means with 95% bootstrap intervals over images; median seconds; largest memory of a process."
    return ReportTable("Means", headings, tuple(rows), note)


def _means_row(run: Run, cells: Sequence[Cell]) -> tuple[Cell, ...]:
    failed = sum(bool(row.error) for row in run.rows)
    images = Cell(str(len(run.rows)), f"{failed} failed" if failed else "")
    seconds, peaks = _values(run, "seconds"), _values(run, "peak_mb")
    speed = Cell(f"{median(seconds):.2f}" if seconds else ""), Cell(f"{max(peaks):.0f}" if peaks else "")
    return Cell(run.label), images, *cells, _success_cell(run), *speed


def _further(runs: Sequence[Run]) -> ReportTable | None:
    names = list(dict.fromkeys(name for run in runs for row in run.rows for name in row.extra))
    if not names:
        return None
    by_column = [_interval_cells(runs, name) for name in names]
    rows = tuple((Cell(run.label), *(cells[place] for cells in by_column)) for place, run in enumerate(runs))
    explained = [
        f"{name}: {METRICS[name].summary}, {METRICS[name].better} is better" for name in names if name in METRICS
    ]
    return ReportTable(
        "Further metrics", ("method", *names), rows, "; ".join([*explained, "n/a: see the remarks"]) + "."
    )


def _interval_cells(runs: Sequence[Run], name: str) -> list[Cell]:
    column = column_of(name)
    intervals = [bootstrap_mean(_values(run, name)) for run in runs]
    means = [interval.mean for interval in intervals if interval]
    best = (max(means) if column.better == "higher" else min(means)) if len(means) > 1 and column.better else None
    return [_interval_cell(i, column.form, i.mean == best) if i else Cell("n/a") for i in intervals]


def _interval_cell(interval: Interval, form: str, best: bool = False) -> Cell:
    return Cell(form.format(interval.mean), f"{form.format(interval.low)} to {form.format(interval.high)}", best)


def _success_cell(run: Run) -> Cell:
    ratios = _values(run, "error_ratio")
    if not ratios:
        return Cell("n/a")
    good = sum(ratio <= SUCCESS for ratio in ratios)
    return Cell(f"{good / len(run.rows):.0%}", f"{good} of {len(run.rows)}")


def _input_row(run: Run, names: Sequence[str]) -> tuple[Cell, ...]:
    measured = {"psnr": "psnr_input", "ssim": "ssim_input"}
    intervals = {name: bootstrap_mean(_values(run, measured[name])) for name in names if name in measured}
    cells = [_interval_cell(i, column_of(name).form) if (i := intervals.get(name)) else Cell("") for name in names]
    return Cell("blurry input"), Cell(str(len(run.rows))), *cells, Cell(""), Cell(""), Cell("")


def _differences(runs: Sequence[Run]) -> ReportTable | None:
    rows: list[tuple[Cell, ...]] = []
    for first, second in combinations(runs, 2):
        cells = [Cell(f"{first.label} - {second.label}")]
        for name, form in (("psnr", "{:+.2f}"), ("ssim", "{:+.3f}")):
            found = paired_difference(_by_index(first, name), _by_index(second, name))
            if found is None:
                cells += [Cell("n/a"), Cell("n/a")]
            else:
                cells += [_interval_cell(found.mean, form), Cell(f"{found.higher:.0%}", f"of {found.images}")]
        rows.append(tuple(cells))
    headings = ("difference", "PSNR dB", "higher on", "SSIM", "higher on")
    note = "Image by image, with 95% bootstrap intervals; chance hardly explains a difference whose interval has no 0."
    return ReportTable("Paired differences", headings, tuple(rows), note) if rows else None


def _kernels(runs: Sequence[Run]) -> ReportTable | None:
    """Mean PSNR of each method for each kernel; None where the images of the suite do not share kernels."""
    blurs = max(run.blurs for run in runs)
    if blurs == 1:
        return None
    means = [
        [_mean([row.psnr for row in run.rows if row.index % blurs == blur]) for blur in range(blurs)] for run in runs
    ]
    known = [mean for own in means for mean in own if mean is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    rows = tuple(
        (Cell(run.label), *(_shaded_cell(mean, low, high) for mean in own))
        for run, own in zip(runs, means, strict=True)
    )
    headings = ("method", *(f"kernel {blur + 1}" for blur in range(blurs)))
    return ReportTable("PSNR for each kernel", headings, rows, "Means in dB over the images of the suite.")


def _shaded_cell(value: float | None, low: float, high: float) -> Cell:
    if value is None:
        return Cell("n/a")
    return Cell(f"{value:.2f}", share=(value - low) / (high - low) if high > low else 0.5)


def _published(group: tuple[str, str], runs: Sequence[Run]) -> ReportTable | None:
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
        (Cell(method, best=source == _OURS), *(_printed_cell(name, values) for name in shown), Cell(source, note))
        for values, method, source, note in lines
    )
    headings = ("method", *(column_of(name).heading for name in shown), "source and what differs")
    note = "Ours in bold. Other people's numbers are as printed; they were not computed here."
    return ReportTable("Beside published numbers", headings, rows, note, prose=(len(headings) - 1,))


def _printed_cell(name: str, values: dict[str, float]) -> Cell:
    return Cell(column_of(name).form.format(values[name]) if name in values else "")


def _our_line(run: Run, shown: Sequence[str]) -> tuple[dict[str, float], str, str, str]:
    means = {name: fmean(found) for name in shown if (found := _values(run, name))}
    is_part = not run.facts or any(run.facts.get(name) for name in ("limit", "only"))
    return means, run.label, _OURS, f"{len(run.rows)} images of the suite" if is_part else ""


def _remarks(runs: Sequence[Run]) -> ReportTable | None:
    failures = [(run.label, row.image, f"failed: {row.error}") for run in runs for row in run.rows if row.error]
    counts = Counter((run.label, row.warnings) for run in runs for row in run.rows if row.warnings)
    lines = [*failures, *((label, f"{count} images", sentence) for (label, sentence), count in counts.most_common())]
    if not lines:
        return None
    rows = tuple(tuple(map(Cell, line)) for line in lines[:_MOST_REMARKS])
    note = f"{len(lines) - _MOST_REMARKS} more are in rows.csv." if len(lines) > _MOST_REMARKS else ""
    return ReportTable("Remarks", ("method", "where", "what"), rows, note, prose=(1, 2))


def _values(run: Run, name: str) -> list[float]:
    return list(_by_index(run, name).values())


def _by_index(run: Run, name: str) -> dict[int, float]:
    """What was measured on each image, where it is a finite number; a column of the rows or a further metric."""
    found = {row.index: row.extra.get(name, getattr(row, name, None)) for row in run.rows}
    return {index: value for index, value in found.items() if value is not None and math.isfinite(value)}


def _mean(values: Sequence[float | None]) -> float | None:
    finite = [value for value in values if value is not None and math.isfinite(value)]
    return fmean(finite) if finite else None
