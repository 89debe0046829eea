"""K3 and K6: blind deblurring with the kernel space against other methods, and without each of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

from torch import Tensor

from unblur.datasets.blur_settings import LinearBlur, ShakeBlur
from unblur.datasets.pairs import Pair
from unblur.errors import UsageError
from unblur.experiments.comparison import Comparison, compare_direction
from unblur.experiments.figures import draw_images
from unblur.experiments.kernel_space.data import held_out
from unblur.experiments.kernel_space.settings import DeblurSettings
from unblur.experiments.result import Cell, ExperimentResult, Say, Table
from unblur.experiments.scores import gain_of
from unblur.experiments.settings import split_names
from unblur.methods.apply import restore_tensor
from unblur.methods.base import Method
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.metrics.perceptual import lpips_alex
from unblur.metrics.score import score

__all__ = ["ARMS", "run"]

_PUBLISHED = {"teacher": "none", "hold": 0.0, "steps": 300}
ARMS: Mapping[str, Mapping[str, Any]] = {
    "kernel-space": {},
    "no network for the image": {"image": "free"},
    "no sparse edges": {"edges": 0.0},
    "no warm start": {"warm_steps": 0},
    "no teacher": {"teacher": "none"},
    "code fitted in the second half": {"hold": 0.5},
    "code fitted": {"hold": 0.0},
    "as published: no teacher, code fitted": _PUBLISHED,
    "as published, no network for the code": {**_PUBLISHED, "code": "free"},
    "as published, no norm of the code": {**_PUBLISHED, "norm": 0.0},
    "as published, alternating": {**_PUBLISHED, "turns": "alternating"},
}
"""Settings of the method, without each of its parts, as published, and without each published part."""
_LEAST, _LEAST_LPIPS = 0.1, 0.01
"""Smallest differences of means that count: PSNR in dB, and LPIPS."""
_BLURS: list[object] = [ShakeBlur(kernel_size=17), LinearBlur(kernel_size=17, length_max=15.0)]
_COLUMNS = ("method", "PSNR", "spread", "SSIM", "LPIPS", "worse than blurry, not aligned", "seconds")


@dataclass
class _Scores:
    """Scores of one method, crop by crop."""

    psnr: list[float] = field(default_factory=list[float])
    ssim: list[float] = field(default_factory=list[float])
    lpips: list[float] = field(default_factory=list[float])
    seconds: list[float] = field(default_factory=list[float])
    worse: int = 0


def run(settings: DeblurSettings, say: Say) -> ExperimentResult:
    """Every method on the same crops."""
    crops = held_out(_BLURS, settings.crops, settings.size)
    results: dict[str, _Scores] = {"blurry": _Scores()}
    images: dict[str, Tensor] = {"sharp": crops[0].sharp, "blurry": crops[0].blurry}
    for crop in crops:
        _add(results["blurry"], crop.blurry, crop)
    for name, method in _methods(settings).items():
        results[name] = _Scores()
        for number, crop in enumerate(crops):
            answer = restore_tensor(crop.blurry, method, RestoreOptions(encoding="linear", seed=settings.seed))
            _add(results[name], answer.image, crop, answer.seconds)
            if number == 0:
                images[name] = answer.image
        say(f"{name}: {fmean(results[name].psnr):.2f} dB, {fmean(results[name].seconds):.1f} s a crop")
    return ExperimentResult(
        title="Blind deblurring with the kernel space",
        figures={"deblur": draw_images([*images.items()], columns=4)},
        tables=(Table("deblur", "Means over the crops, protocol shift", _COLUMNS, _rows(results)),),
        comparisons=_compare(results, settings),
        notes=(
            f"{settings.crops} crops of {settings.size}x{settings.size} pixels of Kodak photos, alternately under "
            "camera shake of 17 pixels and straight motion of 5 to 15, in linear light, without noise.",
            f"kernel-space with preset {settings.preset}, noVGG; SelfDeblur with preset {settings.selfdeblur}. "
            "Networks trained in this project replace those of the paper.",
            "" if results["blurry"].lpips else "LPIPS: n/a, its weights are not on this machine.",
        ),
    )


def _methods(settings: DeblurSettings) -> dict[str, Method]:
    others = {
        name: load_method(name, {"preset": settings.selfdeblur} if name == "selfdeblur" else None)
        for name in split_names(settings.methods)
    }
    arms = ARMS if settings.ablations else {"kernel-space": {}}
    own = {
        name: load_method("kernel-space", {"preset": settings.preset, **changes}, settings.weights)
        for name, changes in arms.items()
    }
    return others | own


def _add(result: _Scores, image: Tensor, crop: Pair, seconds: float = 0.0) -> None:
    scores = score(image, crop.sharp, "shift")
    result.psnr.append(float(scores.psnr))
    result.ssim.append(float(scores.ssim))
    result.seconds.append(seconds)
    result.worse += gain_of(image, crop.blurry, crop.sharp) < 0
    try:
        result.lpips.append(float(lpips_alex(image, crop.sharp)))
    except UsageError:  # its weights are not part of unblur
        return


def _rows(results: Mapping[str, _Scores]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for name, scores in results.items():
        spread = stdev(scores.psnr) if len(scores.psnr) > 1 else 0.0
        lpips: Cell = fmean(scores.lpips) if scores.lpips else "n/a"
        seconds = fmean(scores.seconds)
        rows.append([name, fmean(scores.psnr), spread, fmean(scores.ssim), lpips, scores.worse, seconds])
    return rows


def _compare(results: Mapping[str, _Scores], settings: DeblurSettings) -> tuple[Comparison, ...]:
    own = results["kernel-space"]
    others = {name: scores for name, scores in results.items() if name in ("blurry", *split_names(settings.methods))}
    gains = {name: fmean(own.psnr) - fmean(scores.psnr) for name, scores in others.items()}
    by_psnr = compare_direction(
        "PSNR is higher than that of every other method",
        "no set means printed",
        min(gains.values()),
        least=_LEAST,
        ours=", ".join(f"{gain:+.2f} dB over {name}" for name, gain in gains.items()),
    )
    claim = "LPIPS is better than that of every other method"
    if not own.lpips:
        return by_psnr, Comparison(claim, "it is", "not measured")
    best, ours = min(fmean(scores.lpips) for scores in others.values()), fmean(own.lpips)
    words = f"{ours:.3f} against {best:.3f}"
    return by_psnr, compare_direction(claim, "it is", best - ours, least=_LEAST_LPIPS, unit="", ours=words)
