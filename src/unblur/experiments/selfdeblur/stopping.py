"""Loss against the best step, and steps saved, by rules that stop SelfDeblur early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from matplotlib.figure import Figure

from unblur.experiments.comparison import Comparison, compare_value
from unblur.experiments.figures import Line, Panel, draw_panels
from unblur.experiments.result import Cell, ExperimentResult, Say, Table
from unblur.experiments.selfdeblur.photos import Photo, open_photos, synthetic_photos
from unblur.experiments.selfdeblur.runs import Run, Watch, describe, fit_photo, teacher_for
from unblur.experiments.selfdeblur.settings import StoppingSettings
from unblur.experiments.settings import split_names
from unblur.methods.optimisation.stopping import Rule
from unblur.methods.selfdeblur.method import rule_for
from unblur.methods.selfdeblur.settings import SelfDeblurSettings

__all__ = ["Stop", "choose_threshold", "replay", "run"]

_FACTORS = (0.5, 1.0, 2.0)
"""Multiples of the calibrated threshold that are evaluated."""
_OTHERS = ("plateau", "variance")
_NEVER, _ORACLE = "none", "oracle"
_CANDIDATES = 40
_NEAR = 0.5
"""Largest loss in dB against the best step that counts as close to it."""
_COLUMNS = ("teacher", "rule", "PSNR", "below the best step", "steps", "share saved", f"within {_NEAR:g} dB")
_PHOTO_COLUMNS = ("teacher", "photo", "rule", "PSNR", "steps")


@dataclass(frozen=True)
class Stop:
    """The step at which a rule ends a run.

    Attributes:
        steps: Number of steps taken by then.
        psnr: PSNR of the answer there in dB.
        loss: PSNR at the best step minus `psnr`, dB.
        saved: Share of the steps that are not taken.
    """

    steps: int
    psnr: float
    loss: float
    saved: float


Stops = Mapping[str, Sequence[Stop]]
"""Stops by the name of the rule, photo by photo."""


def run(settings: StoppingSettings, say: Say) -> ExperimentResult:
    """Full runs, along which every rule is evaluated and none stops the run."""
    photos = open_photos(settings.suite, settings.limit, settings.crop, settings.data, colour=settings.colour)
    # Another part of BSDS500 than that of the evaluation, which may be synthetic, too.
    others = synthetic_photos(
        settings.calibration, settings.calibration_crop, split="train", data=settings.data, colour=settings.colour
    )
    names = split_names(settings.teachers)
    runs = {name: _fit(photos, settings, name, say) for name in names}
    thresholds = {name: choose_threshold(_fit(others, settings, name, say)) for name in names}
    stops = {name: _stops(runs[name], thresholds[name]) for name in names}
    return ExperimentResult(
        title="Stopping SelfDeblur early",
        figures={"curves": _draw(runs, stops)},
        tables=(
            Table(
                "rules", "Means over photos: PSNR and loss against the best step in dB, steps", _COLUMNS, _rows(stops)
            ),
            Table("stops", "Every photo and rule", _PHOTO_COLUMNS, _photo_rows(runs, stops)),
        ),
        comparisons=tuple(
            _compare(name, rule, found)
            for name in names
            for rule, found in stops[name].items()
            if rule not in (_NEVER, _ORACLE)
        ),
        notes=(
            describe(settings, photos, settings.suite),
            f"Thresholds chosen on {len(others)} other photos of BSDS500 ({settings.calibration_crop}x"
            f"{settings.calibration_crop} pixels): "
            + ", ".join(f"{thresholds[name]:.4g} with {name}" for name in names)
            + ". The rules use the difference to the teacher where it can be computed at every check, else 1 - SSIM of "
            "the fit.",
            "Learning rates fall along the whole schedule, which a stop cuts short; a shorter schedule would differ.",
        ),
    )


def _fit(photos: Sequence[Photo], settings: StoppingSettings, name: str, say: Say) -> list[Run]:
    runs: list[Run] = []
    for photo in photos:
        for seed in range(settings.seeds):
            teacher = teacher_for(name, settings, photo)
            found = fit_photo(photo, settings, teacher, {}, seed=seed, points=settings.points, others=_OTHERS)
            say(f"{name}: {photo.name}, {found.psnr:.2f} dB, at best {found.best:.2f}, {found.seconds:.0f} s")
            if found.watch is not None:
                runs.append(found)
    return runs


def replay(watch: Watch, rule: Rule) -> int | None:
    """Number of steps after which a rule that uses numbers alone would have ended a run; None: it would not."""
    restarts = list(watch.restarts)
    for step, quantity in watch.quantities:
        if restarts and step >= restarts[0]:
            rule.restart()
            restarts.pop(0)
        if rule.check(step, quantity, watch.sharp):
            return step + 1
    return None


def choose_threshold(runs: Sequence[Run]) -> float:
    """The threshold with the best mean PSNR at the stop; of equal ones the largest, which stops first."""
    values = [value for run in runs if run.watch for _, value in run.watch.quantities]
    if not values or max(values) <= 0:
        return 0.0
    highest = max(values)
    candidates = np.geomspace(max(min(values), 1e-3 * highest), highest, _CANDIDATES)[::-1]
    return float(max(candidates, key=lambda threshold: _mean_psnr(runs, float(threshold))))


def _mean_psnr(runs: Sequence[Run], threshold: float) -> float:
    return fmean(_stop(run, _threshold_stop(run, threshold)).psnr for run in runs)


def _threshold_stop(run: Run, threshold: float) -> int | None:
    if run.watch is None:
        return None
    return replay(run.watch, rule_for(SelfDeblurSettings(stop="threshold", threshold=threshold), run.steps))


def _stop(run: Run, steps: int | None) -> Stop:
    curve = {**run.watch.psnr, run.steps: run.psnr} if run.watch else {run.steps: run.psnr}
    steps = steps or run.steps
    psnr = float(np.interp(steps, sorted(curve), [curve[step] for step in sorted(curve)]))
    return Stop(steps, psnr, run.best - psnr, 1 - steps / run.steps)


def _stops(runs: Sequence[Run], threshold: float) -> dict[str, list[Stop]]:
    rules = {_NEVER: [_stop(run, None) for run in runs], _ORACLE: [_stop(run, _best_step(run)) for run in runs]}
    for factor in _FACTORS:
        rules[f"threshold x {factor:g}"] = [_stop(run, _threshold_stop(run, factor * threshold)) for run in runs]
    for name in _OTHERS:
        rules[name] = [_stop(run, run.watch.stops.get(name) if run.watch else None) for run in runs]
    return rules


def _best_step(run: Run) -> int:
    curve = {run.steps: run.psnr, **(run.watch.psnr if run.watch else {})}
    return max(curve, key=lambda step: curve[step])


def _rows(stops: Mapping[str, Stops]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for teacher, rules in stops.items():
        for rule, found in rules.items():
            means = (fmean(getattr(stop, name) for stop in found) for name in ("psnr", "loss", "steps", "saved"))
            rows.append([teacher, rule, *means, f"{sum(stop.loss <= _NEAR for stop in found)} of {len(found)}"])
    return rows


def _photo_rows(runs: Mapping[str, Sequence[Run]], stops: Mapping[str, Stops]) -> list[list[Cell]]:
    return [
        [teacher, run.photo.name, rule, stop.psnr, stop.steps]
        for teacher, rules in stops.items()
        for rule, found in rules.items()
        for run, stop in zip(runs[teacher], found, strict=True)
    ]


def _compare(teacher: str, rule: str, stops: Sequence[Stop]) -> Comparison:
    loss, saved = fmean(stop.loss for stop in stops), fmean(stop.saved for stop in stops)
    ended = sum(stop.saved > 0 for stop in stops)
    return compare_value(
        f"{teacher}, {rule}: mean loss against the best step",
        0,
        loss if ended else None,
        within=_NEAR,
        unit="dB",
        form=".2f",
        printed_as="no paper; our aim is 0 dB",
        note=f"ended {ended} of {len(stops)} runs, {saved:.0%} of steps saved",
    )


def _draw(runs: Mapping[str, Sequence[Run]], stops: Mapping[str, Stops]) -> Figure:
    panels: list[Panel] = []
    for teacher, found in runs.items():
        curves = [run.watch.psnr if run.watch else {} for run in found]
        lines = [Line(list(curve), list(curve.values()), style="-C7") for curve in curves]
        for rule, marker in ((_ORACLE, "*"), ("threshold x 1", "o"), ("plateau", "s"), ("variance", "^")):
            points = stops[teacher][rule]
            lines.append(Line([stop.steps for stop in points], [stop.psnr for stop in points], rule, style=marker))
        panels.append(Panel(lines, "steps", "PSNR in dB", teacher))
    return draw_panels(panels)
