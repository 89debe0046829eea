"""What each term of the weak supervision of SelfDeblur brings, and where along a run the image was best."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from matplotlib.figure import Figure

from unblur.experiments.lists import names_in
from unblur.experiments.result import Cell, Comparison, ExperimentResult, Say, Table
from unblur.experiments.selfdeblur.photos import Photo, open_photos
from unblur.experiments.selfdeblur.runs import Arm, describe, draw_curve, run_arm, teacher_for
from unblur.experiments.selfdeblur.settings import AblationSettings

__all__ = ["ARMS", "run"]

ARMS: Mapping[str, Mapping[str, Any]] = {
    "fit": {"weak": 0.0},
    "fit, weak": {},
    "fit, rec degraded": {"weak": 0.0, "rec": 0.1},
    "fit, rec literal": {"weak": 0.0, "rec": 0.1, "reading": "literal"},
    "fit, weak, rec": {"rec": 0.1},
    "fit, weak, rec, stopped": {"rec": 0.1, "stop": "plateau"},
}
"""Settings of each arm; those with `rec` are for teachers that can be learned through."""
_COLUMNS = (
    "teacher", "arm", "PSNR", "SSIM", "PSNR at the best step", "error ratio", "spectral ratio", "kernel RMSE", "steps",
    "seconds", "worse than blurry",
)  # fmt: skip
_MEANS = ("psnr", "ssim", "best", "error_ratio", "spectral_ratio", "kernel_rmse", "steps", "seconds")


def run(settings: AblationSettings, say: Say) -> ExperimentResult:
    """Every arm with every teacher on the same photos and seeds."""
    photos = open_photos(settings.suite, settings.limit, settings.crop, settings.data)
    names = names_in(settings.teachers)
    arms: dict[tuple[str, str], Arm] = {}
    for name in names:
        for arm in _arms_for(name, settings, photos[0]):
            started = time.perf_counter()
            arms[name, arm] = run_arm(photos, settings, name, ARMS[arm])
            say(f"{name}: {arm}, {arms[name, arm].mean('psnr'):.2f} dB, {time.perf_counter() - started:.0f} s")
    return ExperimentResult(
        title="Weak supervision of SelfDeblur, term by term",
        figures={"curves": _draw(arms)},
        tables=(Table("ablation", "Means over photos and seeds, grey, protocol shift", _COLUMNS, _rows(arms)),),
        comparisons=_compare(arms, names),
        notes=(
            describe(settings, photos, settings.suite),
            "The images are those of the networks alone. Terms that ask a teacher again need one with a gradient.",
        ),
    )


def _arms_for(name: str, settings: AblationSettings, photo: Photo) -> Sequence[str]:
    can_be_asked = teacher_for(name, settings, photo).is_differentiable
    return [arm for arm, changes in ARMS.items() if can_be_asked or "rec" not in changes]


def _rows(arms: Mapping[tuple[str, str], Arm]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for (teacher, name), arm in arms.items():
        means = (arm.mean(number) for number in _MEANS)
        rows.append([teacher, name, *means, arm.failures])
    return rows


def _compare(arms: Mapping[tuple[str, str], Arm], names: Sequence[str]) -> tuple[Comparison, ...]:
    """Whether the teacher's image helps, for each teacher; no paper says."""
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
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for (teacher, name), arm in arms.items():
        draw_curve(axes, arm, f"{teacher}: {name}")
        ends = fmean(run.steps for run in arm.runs)
        axes.plot([ends], [arm.mean("psnr")], "o", color=axes.lines[-1].get_color())
    axes.set_xlabel("steps")
    axes.set_ylabel("PSNR in dB")
    axes.legend(fontsize="x-small")
    return figure
