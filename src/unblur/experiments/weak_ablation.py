"""What each term of the weak supervision of SelfDeblur brings, and where along a run the image was best."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from matplotlib.figure import Figure
from torch import Tensor

from unblur.datasets import open_dataset
from unblur.datasets.pairs import Pair
from unblur.experiments.outcome import Cell, Comparison, Outcome, Say, Table
from unblur.experiments.weak_settings import AblationSettings
from unblur.methods.apply import restore_tensor
from unblur.methods.base import Light, Step, Task
from unblur.methods.selfdeblur.method import SelfDeblur
from unblur.methods.selfdeblur.settings import SelfDeblurSettings
from unblur.methods.selfdeblur.teachers import Oracle, Teacher, load_teacher
from unblur.metrics.luma import luma_skimage
from unblur.metrics.score import score

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
_COLUMNS = ("teacher", "arm", "PSNR", "SSIM", "PSNR at the best step", "steps", "seconds", "worse than blurry")


@dataclass(frozen=True)
class _Photo:
    """One pair in grey."""

    blurry: Tensor
    sharp: Tensor
    light: Light
    psnr: float


@dataclass
class _Arm:
    """What came of one arm on all photos and seeds."""

    psnr: list[float] = field(default_factory=list[float])
    ssim: list[float] = field(default_factory=list[float])
    best: list[float] = field(default_factory=list[float])
    steps: list[float] = field(default_factory=list[float])
    seconds: list[float] = field(default_factory=list[float])
    failures: int = 0
    curve: dict[float, list[float]] = field(default_factory=dict[float, list[float]])


def run(settings: AblationSettings, say: Say) -> Outcome:
    """Every arm with every teacher on the same photos and seeds."""
    photos = _open(settings)
    names = [name.strip() for name in settings.teachers.split(",")]
    arms: dict[tuple[str, str], _Arm] = {}
    for name in names:
        for arm in _arms_for(name, settings, photos[0]):
            started = time.perf_counter()
            arms[name, arm] = _run_arm(name, arm, settings, photos)
            say(f"{name}: {arm}, {fmean(arms[name, arm].psnr):.2f} dB, {time.perf_counter() - started:.0f} s")
    crop = f"the middle {settings.crop}x{settings.crop} pixels" if settings.crop else "whole photos"
    return Outcome(
        title="Weak supervision of SelfDeblur, term by term",
        figures={"curves": _draw(arms)},
        tables=(Table("ablation", "Means over photos and seeds, grey, protocol shift", _COLUMNS, _rows(arms)),),
        comparisons=_compare(arms, names),
        notes=(
            f"{len(photos)} pairs of {settings.suite}, {crop}, {settings.seeds} seed(s), preset {settings.preset}; "
            f"blurry: {fmean(photo.psnr for photo in photos):.2f} dB.",
            "The images are those of the networks alone. Terms that ask a teacher again need one with a gradient.",
        ),
    )


def _open(settings: AblationSettings) -> list[_Photo]:
    pairs = open_dataset(settings.suite, Path(settings.data) if settings.data else None)
    count = min(settings.limit or len(pairs), len(pairs))
    return [_prepare(pairs[number * len(pairs) // count], settings.crop) for number in range(count)]


def _prepare(pair: Pair, crop: int) -> _Photo:
    blurry, sharp = (_middle(luma_skimage(image), crop) for image in (pair.blurry, pair.sharp))
    return _Photo(blurry, sharp, pair.light, float(score(blurry, sharp, "shift").psnr))


def _middle(image: Tensor, side: int) -> Tensor:
    if side == 0:
        return image
    top, left = (max(0, (length - side) // 2) for length in image.shape[-2:])
    return image[..., top : top + side, left : left + side]


def _teacher_for(name: str, settings: AblationSettings, photo: _Photo) -> Teacher:
    return Oracle(photo.sharp) if name == "oracle" else load_teacher(name, settings.weights)


def _arms_for(name: str, settings: AblationSettings, photo: _Photo) -> Sequence[str]:
    can_be_asked = _teacher_for(name, settings, photo).is_differentiable
    return [arm for arm, changes in ARMS.items() if can_be_asked or "rec" not in changes]


def _run_arm(name: str, arm: str, settings: AblationSettings, photos: Sequence[_Photo]) -> _Arm:
    result = _Arm()
    numbers = SelfDeblurSettings(preset=settings.preset, output="networks", **ARMS[arm])
    for photo in photos:
        method = SelfDeblur(numbers, _teacher_for(name, settings, photo))
        for seed in range(settings.seeds):
            _add(result, photo, method, seed)
    return result


def _add(result: _Arm, photo: _Photo, method: SelfDeblur, seed: int) -> None:
    along: dict[float, float] = {}

    def watch(step: Step) -> None:
        if step.preview is not None:
            along[step.fraction] = float(score(step.preview.clamp(0, 1), photo.sharp, "shift").psnr)

    answer = restore_tensor(photo.blurry, method, Task(light=photo.light, seed=seed, on_step=watch))
    scores = score(answer.image, photo.sharp, "shift")
    psnr = float(scores.psnr)
    result.psnr.append(psnr)
    result.ssim.append(float(scores.ssim))
    result.best.append(max([psnr, *along.values()]))
    result.steps.append(answer.facts.get("steps", 0))
    result.seconds.append(answer.seconds)
    result.failures += psnr < photo.psnr
    for share, value in along.items():
        result.curve.setdefault(share, []).append(value)


def _rows(arms: Mapping[tuple[str, str], _Arm]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for (teacher, name), arm in arms.items():
        means = (fmean(values) for values in (arm.psnr, arm.ssim, arm.best, arm.steps, arm.seconds))
        rows.append([teacher, name, *means, arm.failures])
    return rows


def _compare(arms: Mapping[tuple[str, str], _Arm], names: Sequence[str]) -> tuple[Comparison, ...]:
    """Whether the teacher's image helps, for each teacher; no paper says."""
    gains = {name: fmean(arms[name, "fit, weak"].psnr) - fmean(arms[name, "fit"].psnr) for name in names}
    return tuple(
        Comparison(f"gain by the image of {name}", "not in a paper", f"{gain:+.2f} dB") for name, gain in gains.items()
    )


def _draw(arms: Mapping[tuple[str, str], _Arm]) -> Figure:
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for (teacher, name), arm in arms.items():
        shares = sorted(arm.curve)
        axes.plot(shares, [fmean(arm.curve[share]) for share in shares], marker=".", label=f"{teacher}: {name}")
    axes.set_xlabel("share of the run")
    axes.set_ylabel("PSNR in dB")
    axes.legend(fontsize="x-small")
    return figure
