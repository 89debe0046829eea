"""Quality of SelfDeblur's teachers alone, and the best weight of their images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from matplotlib.figure import Figure
from torch import Tensor

from unblur.experiments.comparison import Comparison, compare_direction
from unblur.experiments.figures import Line, Panel, draw_panels
from unblur.experiments.result import Cell, ExperimentResult, Say, Table
from unblur.experiments.selfdeblur.photos import Photo, open_photos
from unblur.experiments.selfdeblur.runs import Arm, describe, run_arm, teacher_for
from unblur.experiments.selfdeblur.settings import TeacherSettings
from unblur.experiments.settings import split_names, split_numbers
from unblur.methods.options import RestoreOptions
from unblur.metrics.score import Scores, score

__all__ = ["run"]

_DECAYS = {"falling": 0.6, "constant": 0.0}
"""Share of the run after which the weight of the teacher's image is 0; 0: the weight is constant."""
_ALONE = ("teacher", "photos", "PSNR", "SSIM", "gain", "worse than blurry")
_SWEEP = ("teacher", "weight", "schedule", "PSNR", "above the fit alone", "above the teacher", "worse than blurry")

Key = tuple[str, float, str]
"""Teacher, weight, and schedule of the weight."""
_LEAST = 0.1
"""Smallest difference in dB that counts."""


def run(settings: TeacherSettings, say: Say) -> ExperimentResult:
    """Teachers alone on every set, then fits with each weight of each teacher on one of them."""
    names = split_names(settings.teachers)
    sets = {
        suite: open_photos(suite, settings.limit, settings.crop, settings.data, colour=settings.colour)
        for suite in _suites(settings)
    }
    scores = {
        (name, suite): [_score(name, photo, settings) for photo in photos]
        for name in names
        for suite, photos in sets.items()
    }
    for (name, suite), found in scores.items():
        say(f"{name} on {suite}: {_psnr(found):.2f} dB")
    photos = sets[settings.suite]
    arms = _sweep(names, photos, settings, say)
    teachers = {name: _psnr(scores[name, settings.suite]) for name in names}
    return ExperimentResult(
        title="Teachers of SelfDeblur and the weight of their images",
        figures={"weights": _draw(arms, teachers)},
        tables=(
            Table("teachers", "Teachers alone: means, protocol shift, dB", _ALONE, _alone_rows(scores, sets)),
            Table("weights", f"Fits on {settings.suite}: dB", _SWEEP, _sweep_rows(arms, teachers)),
        ),
        comparisons=tuple(_compare(name, arms, teachers[name]) for name in names),
        notes=(
            describe(settings, photos, settings.suite),
            "Weight 0 is the fit alone; presets that start from the teacher do so with weight 0, too.",
        ),
    )


def _restore(name: str, photo: Photo, settings: TeacherSettings) -> Tensor:
    """The photo restored by a teacher, `(1, c, h, w)` in [0, 1]."""
    teacher = teacher_for(name, settings, photo)
    return teacher.restore(photo.blurry, RestoreOptions(encoding=photo.encoding)).image.clamp(0, 1)


def _suites(settings: TeacherSettings) -> list[str]:
    return list(dict.fromkeys([*split_names(settings.suites), settings.suite]))


def _score(name: str, photo: Photo, settings: TeacherSettings) -> Scores:
    return score(_restore(name, photo, settings), photo.sharp, "shift")


def _psnr(scores: Sequence[Scores]) -> float:
    return fmean(float(item.psnr) for item in scores)


def _sweep(names: Sequence[str], photos: Sequence[Photo], settings: TeacherSettings, say: Say) -> dict[Key, Arm]:
    arms: dict[Key, Arm] = {}
    strengths = [strength for strength in split_numbers(settings.strengths, "strengths") if strength > 0]
    for name in names:
        alone = {(name, 0.0, "-"): {"weak": 0.0}}
        choices = alone | {
            (name, strength, fit_schedule): {"weak": strength, "weak_until": until}
            for strength in strengths
            for fit_schedule, until in _DECAYS.items()
        }
        for key, changes in choices.items():
            arms[key] = run_arm(photos, settings, name, changes)
            say(f"{name}, weight {key[1]:g}, {key[2]}: {arms[key].mean('psnr'):.2f} dB")
    return arms


def _alone_rows(
    scores: Mapping[tuple[str, str], Sequence[Scores]], sets: Mapping[str, Sequence[Photo]]
) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for (name, suite), found in scores.items():
        blurry = [photo.psnr for photo in sets[suite]]
        worse = sum(float(item.psnr) < psnr for item, psnr in zip(found, blurry, strict=True))
        ssim = fmean(float(item.ssim) for item in found)
        rows.append([name, f"{suite} ({len(found)})", _psnr(found), ssim, _psnr(found) - fmean(blurry), worse])
    return rows


def _sweep_rows(arms: Mapping[Key, Arm], teachers: Mapping[str, float]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for (name, strength, fit_schedule), arm in arms.items():
        psnr = arm.mean("psnr")
        above = psnr - arms[name, 0.0, "-"].mean("psnr"), psnr - teachers[name]
        rows.append([name, strength, fit_schedule, psnr, *above, arm.failures])
    return rows


def _compare(name: str, arms: Mapping[Key, Arm], teacher: float) -> Comparison:
    """The proposal expects a result above both the fit alone and the teacher."""
    alone = arms[name, 0.0, "-"].mean("psnr")
    tried = {key: arm.mean("psnr") for key, arm in arms.items() if key[0] == name and key[1] > 0}
    best = max(tried, key=lambda key: tried[key])
    return compare_direction(
        f"with {name}, supervision gives more than the fit alone and the teacher alone",
        "hoped for in the proposal",
        tried[best] - max(alone, teacher),
        least=_LEAST,
        ours=f"fit {alone:.2f}, teacher {teacher:.2f}, both {tried[best]:.2f} dB (weight {best[1]:g}, {best[2]})",
        note="the best of the weights tried, chosen on these photos",
    )


def _draw(arms: Mapping[Key, Arm], teachers: Mapping[str, float]) -> Figure:
    panels: list[Panel] = []
    for name, teacher in teachers.items():
        lines: list[Line] = []
        for schedule in _DECAYS:
            points = {key[1]: arm.mean("psnr") for key, arm in arms.items() if key[0] == name and key[2] == schedule}
            lines.append(Line(list(points), list(points.values()), schedule))
        levels = {"fit alone": arms[name, 0.0, "-"].mean("psnr"), "teacher alone": teacher}
        panels.append(Panel(lines, "weight of the teacher's image", "PSNR in dB", name, levels, log_x=True))
    return draw_panels(panels)
