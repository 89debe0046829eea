"""The lines of the page: what is printed, what was measured here, and whether both agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unblur.benchmarks.columns import column_of
from unblur.benchmarks.published import Published, published_numbers
from unblur.errors import DataError
from unblur.experiments.comparison import Comparison, compare_value
from unblur.experiments.papers.contents import Item, Paper, Place
from unblur.experiments.papers.counted import count_parameters
from unblur.experiments.papers.stored import StoredRun

__all__ = ["QUOTED", "Line", "lines_of"]

QUOTED = "not measured"
"""Verdict of a line that has no answer here."""

_TOLERANCES: Mapping[str, float] = {
    "psnr": 0.5,
    "ssim": 0.02,
    "gain": 0.5,
    "kernel_rmse": 0.0005,
    "error_ratio_spectral": 0.1,
}
"""Largest difference of a match, by metric."""


@dataclass(frozen=True)
class Line:
    """One line of a document's table.

    Attributes:
        place: Table or figure.
        what: What is compared.
        printed: The value or the words of the document.
        ours: The value measured here with its interval and scale; empty: none.
        verdict: See `comparison.Verdict`; or `QUOTED`.
        tolerance: What counts as agreement.
        why: What explains the verdict, or what an answer would take.
        run: The stored run that was read; empty: none.
        command: What made it, or would make an answer.
    """

    place: Place
    what: str
    printed: str
    ours: str = ""
    verdict: str = QUOTED
    tolerance: str = ""
    why: str = ""
    run: str = ""
    command: str = ""


def lines_of(paper: Paper, results: Path) -> list[Line]:
    """All lines of a document.

    Args:
        paper: The document.
        results: Folder of the stored runs.

    Raises:
        DataError: A run, a line or a column that is cited is not there.
    """
    return [line for place in paper.places for line in [*_own(place, results), *_quoted(place)]]


def _own(place: Place, results: Path) -> Iterator[Line]:
    for item in place.items:
        if item.method:
            yield from _published(place, item, results)
        else:
            yield _line(place, item, results)


def _line(place: Place, item: Item, results: Path) -> Line:
    if item.count:
        count = count_parameters(item.count, item.part)
        return _filled(place, item, compare_value(item.what, float(item.printed), count, within=0, form=",.0f"))
    if not item.run:
        return Line(place, item.what, str(item.printed), why=item.needs, command=item.command)
    run = StoredRun(results / item.run)
    if item.claim:
        return _filled(place, item, run.claim(item.claim), run)
    ours = run.cell(item.table, item.column, item.where, item.without) if item.table else run.measured(item.metric)
    return _filled(place, item, Comparison(item.what, str(item.printed), ours), run)


def _published(place: Place, item: Item, results: Path) -> Iterator[Line]:
    """A line for each metric that is printed of the method and that the run has."""
    numbers = [n for n in _numbers(place) if (n.method, n.dataset) == (item.method, item.dataset)]
    if not numbers:
        raise DataError(f"published.json has nothing of {item.method!r} on {item.dataset!r} from {place.source!r}")
    if not item.run:
        yield Line(place, _name(numbers[0]), _values(numbers), why=item.needs, command=item.command)
        return
    run = StoredRun(results / item.run)
    for number in numbers:
        yield _filled(place, item, _compare(number, run, item), run)


def _compare(number: Published, run: StoredRun, item: Item) -> Comparison:
    what = f"{item.what or _name(number)}, {_heading(number.metric)}"
    printed, ours = _as_printed(number), run.measured(number.metric)
    if not item.comparable:
        return Comparison(what, printed, ours)
    judged = compare_value(
        what,
        number.value,
        run.mean(number.metric).mean,
        within=_TOLERANCES[number.metric],
        neutral=_neutral(number.metric, run),
        better=column_of(number.metric).better,
    )
    return Comparison(what, printed, ours, judged.tolerance, judged.verdict)


def _neutral(metric: str, run: StoredRun) -> float | None:
    """The value of the blurry image, from which a direction is counted; None: it is not stored."""
    if metric in ("psnr", "ssim"):
        return run.mean(f"{metric}_input").mean
    return 0.0 if metric == "gain" else None


def _filled(place: Place, item: Item, compared: Comparison, run: StoredRun | None = None) -> Line:
    return Line(
        place,
        what=compared.claim if item.method else item.what,
        printed=compared.printed if item.claim or item.count or item.method else str(item.printed),
        ours=compared.ours,
        verdict=compared.verdict,
        tolerance=compared.tolerance,
        why="; ".join(filter(None, (compared.note, item.why))),
        run=run.name if run else "",
        command=item.command,
    )


def _quoted(place: Place) -> Iterator[Line]:
    """A line for each method and data set of the source that no item names."""
    named = {(item.method, item.dataset) for item in place.items}
    groups: dict[tuple[str, str], list[Published]] = {}
    for number in _numbers(place):
        if (number.method, number.dataset) not in named:
            groups.setdefault((number.method, number.dataset), []).append(number)
    for place_in_table, numbers in enumerate(groups.values()):
        command = "" if place_in_table else place.command
        yield Line(place, _name(numbers[0]), _values(numbers), why=place.others, command=command)


def _numbers(place: Place) -> list[Published]:
    own = (number for number in published_numbers() if number.source == place.source)
    return [number for number in own if place.dataset in ("", number.dataset)]


def _name(number: Published) -> str:
    return f"{number.method}, {number.dataset}"


def _values(numbers: Sequence[Published]) -> str:
    return ", ".join(f"{_heading(number.metric)} {_as_printed(number)}" for number in numbers)


def _heading(metric: str) -> str:
    heading = column_of(metric).heading
    return metric.upper() if heading == metric else heading  # those that no table here has, LPIPS and NIQE


def _as_printed(number: Published) -> str:
    """With all digits that are printed, and with the zeros at their end that the usual form keeps."""
    usual = column_of(number.metric).form.format(number.value)
    return usual if float(usual) == number.value else f"{number.value:g}"
