"""Contribution of each term of SelfDeblur's weak supervision, and the best step of each run."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from matplotlib.figure import Figure

from unblur.experiments.comparison import Comparison
from unblur.experiments.figures import Line, Panel, draw_panels
from unblur.experiments.result import Cell, ExperimentResult, Say, Table
from unblur.experiments.selfdeblur.photos import Photo, open_photos
from unblur.experiments.selfdeblur.runs import Arm, describe, mean_curve, run_arm, teacher_for
from unblur.experiments.selfdeblur.settings import AblationSettings
from unblur.experiments.settings import split_names

__all__ = ["ARMS", "run"]

ARMS: Mapping[str, Mapping[str, Any]] = {
    "fit": {"weak": 0.0},
    "fit, weak": {},
    "fit, rec degraded": {"weak": 0.0, "rec": 0.1},
    "fit, rec literal": {"weak": 0.0, "rec": 0.1, "reading": "literal"},
    "fit, weak, rec": {"rec": 0.1},
    "fit, weak, rec, stopped": {"rec": 0.1, "stop": "plateau"},
}
"""Settings of each arm; those with `rec` need a differentiable teacher."""
_COLUMNS = (
    "teacher", "arm", "PSNR", "SSIM", "PSNR at the best step", "error ratio", "spectral ratio", "kernel RMSE", "steps",
    "seconds", "worse than blurry",
)  # fmt: skip
_MEANS = ("psnr", "ssim", "best", "error_ratio", "spectral_ratio", "kernel_rmse", "steps", "seconds")


def run(settings: AblationSettings, say: Say) -> ExperimentResult:
    """Every arm with every teacher on the same photos and seeds."""
    photos = open_photos(settings.suite, settings.limit, settings.crop, settings.data, colour=settings.colour)
    names = split_names(settings.teachers)
    arms: dict[tuple[str, str], Arm] = {}
    for name in names:
        for arm in _arms_for(name, settings, photos[0]):
            started = time.perf_counter()
            arms[name, arm] = run_arm(photos, settings, name, ARMS[arm])
            say(f"{name}: {arm}, {arms[name, arm].mean('psnr'):.2f} dB, {time.perf_counter() - started:.0f} s")
    return ExperimentResult(
        title="Weak supervision of SelfDeblur, term by term",
        figures={"curves": _draw(arms)},
        tables=(Table("ablation", "Means over photos and seeds, protocol shift", _COLUMNS, _rows(arms)),),
        comparisons=_compare(arms, names),
        notes=(
            describe(settings, photos, settings.suite),
            "The images are those of the networks alone. Terms that apply the teacher again need a differentiable one.",
        ),
    )


def _arms_for(name: str, settings: AblationSettings, photo: Photo) -> Sequence[str]:
    differentiable = teacher_for(name, settings, photo).is_differentiable
    return [arm for arm, changes in ARMS.items() if differentiable or "rec" not in changes]


def _rows(arms: Mapping[tuple[str, str], Arm]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for (teacher, name), arm in arms.items():
        means = (arm.mean(number) for number in _MEANS)
        rows.append([teacher, name, *means, arm.failures])
    return rows


def _compare(arms: Mapping[tuple[str, str], Arm], names: Sequence[str]) -> tuple[Comparison, ...]:
    """Gain by the image of each teacher; no paper prints it."""
    return tuple(
        Comparison(
            f"gain by the image of {name}",
            "not in a paper",
            f"{arms[name, 'fit, weak'].mean('psnr') - arms[name, 'fit'].mean('psnr'):+.2f} dB",
            note=_photo_by_photo(arms[name, "fit, weak"], arms[name, "fit"]),
        )
        for name in names
    )


def _photo_by_photo(arm: Arm, other: Arm) -> str:
    gains = [run.psnr - base.psnr for run, base in zip(arm.runs, other.runs, strict=True)]
    return f"from {min(gains):+.2f} to {max(gains):+.2f} dB, {sum(gain > 0 for gain in gains)} of {len(gains)} gain"


def _draw(arms: Mapping[tuple[str, str], Arm]) -> Figure:
    lines: list[Line] = []
    for number, ((teacher, name), arm) in enumerate(arms.items()):
        curve, colour = mean_curve(arm), f"C{number % 10}"
        lines.append(Line(list(curve), list(curve.values()), f"{teacher}: {name}", style=f"-{colour}"))
        lines.append(Line([fmean(run.steps for run in arm.runs)], [arm.mean("psnr")], style=f"o{colour}"))
    return draw_panels([Panel(lines, "steps", "PSNR in dB")])
