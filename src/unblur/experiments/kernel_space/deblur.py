"""K3 and K6: blind deblurring in the space of blurs against other methods, and without each of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

from matplotlib.figure import Figure
from torch import Tensor

from unblur.datasets.blur_settings import LinearBlur, ShakeBlur
from unblur.errors import UsageError
from unblur.experiments.kernel_space.data import Crop, decibels, held_out
from unblur.experiments.kernel_space.settings import DeblurSettings
from unblur.experiments.lists import names_in
from unblur.experiments.result import Cell, Comparison, ExperimentResult, Say, Table
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
    "code learns from the middle on": {"hold": 0.5},
    "code learns": {"hold": 0.0},
    "as published: no teacher, code learns": _PUBLISHED,
    "as published, no network for the code": {**_PUBLISHED, "code": "free"},
    "as published, no norm of the code": {**_PUBLISHED, "norm": 0.0},
    "as published, alternating": {**_PUBLISHED, "turns": "alternating"},
}
"""The method as it is, its settings without each of its parts, and what was published with and without its own."""
_BLURS: list[object] = [ShakeBlur(kernel_size=17), LinearBlur(kernel_size=17, length_max=15.0)]
_COLUMNS = ("method", "PSNR", "spread", "SSIM", "LPIPS", "worse than blurry, not aligned", "seconds")


@dataclass
class _Scores:
    """Of one method on all crops."""

    psnr: list[float] = field(default_factory=list[float])
    ssim: list[float] = field(default_factory=list[float])
    lpips: list[float] = field(default_factory=list[float])
    seconds: list[float] = field(default_factory=list[float])
    worse: int = 0


def run(settings: DeblurSettings, say: Say) -> ExperimentResult:
    """Every method on the same crops."""
    crops = held_out(_BLURS, settings.crops, settings.size)
    results: dict[str, _Scores] = {"blurry": _Scores()}
    pictures: dict[str, Tensor] = {"sharp": crops[0].sharp, "blurry": crops[0].blurry}
    for crop in crops:
        _add(results["blurry"], crop.blurry, crop)
    for name, method in _methods(settings).items():
        results[name] = _Scores()
        for number, crop in enumerate(crops):
            answer = restore_tensor(crop.blurry, method, RestoreOptions(encoding="linear", seed=settings.seed))
            _add(results[name], answer.image, crop, answer.seconds)
            if number == 0:
                pictures[name] = answer.image
        say(f"{name}: {fmean(results[name].psnr):.2f} dB, {fmean(results[name].seconds):.1f} s a crop")
    return ExperimentResult(
        title="Blind deblurring in a space of blurs",
        figures={"deblur": _draw(pictures)},
        tables=(Table("deblur", "Means over the crops, protocol shift", _COLUMNS, _rows(results)),),
        comparisons=_compare(results, settings),
        notes=(
            f"{settings.crops} crops of {settings.size}x{settings.size} pixels of Kodak photos, by turns under camera "
            "shake of 17 pixels and straight motion of 5 to 15, in linear light, without noise.",
            f"kernel-space with preset {settings.preset}, noVGG; SelfDeblur with preset {settings.selfdeblur}. Trained "
            "networks of this project stand in for those of the paper.",
            "" if results["blurry"].lpips else "LPIPS: n/a, its weights are not on this machine.",
        ),
    )


def _methods(settings: DeblurSettings) -> dict[str, Method]:
    others = {
        name: load_method(name, {"preset": settings.selfdeblur} if name == "selfdeblur" else None)
        for name in names_in(settings.methods)
    }
    arms = ARMS if settings.ablations else {"kernel-space": {}}
    own = {
        name: load_method("kernel-space", {"preset": settings.preset, **changes}, settings.weights)
        for name, changes in arms.items()
    }
    return others | own


def _add(result: _Scores, image: Tensor, crop: Crop, seconds: float = 0.0) -> None:
    scores = score(image, crop.sharp, "shift")
    result.psnr.append(float(scores.psnr))
    result.ssim.append(float(scores.ssim))
    result.seconds.append(seconds)
    result.worse += decibels(image, crop.sharp) < decibels(crop.blurry, crop.sharp)
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
    others = {name: scores for name, scores in results.items() if name in ("blurry", *names_in(settings.methods))}
    gains = {name: fmean(own.psnr) - fmean(scores.psnr) for name, scores in others.items()}
    by_psnr = Comparison(
        "PSNR is higher than that of the others",
        "no set means printed",
        ", ".join(f"{gain:+.2f} dB over {name}" for name, gain in gains.items()),
        min(gains.values()) > 0,
    )
    claim = "LPIPS is better than that of the others"
    if not own.lpips:
        return by_psnr, Comparison(claim, "it is", "n/a")
    best = min(fmean(scores.lpips) for scores in others.values())
    mine = fmean(own.lpips)
    return by_psnr, Comparison(claim, "it is", f"{mine:.3f} against {best:.3f}", mine < best)


def _draw(pictures: Mapping[str, Tensor]) -> Figure:
    columns = 4
    rows = -(-len(pictures) // columns)
    figure = Figure(figsize=(2.4 * columns, 2.6 * rows), layout="constrained")
    for place, (name, image) in enumerate(pictures.items(), start=1):
        axes = figure.add_subplot(rows, columns, place)
        axes.imshow(image[0].permute(1, 2, 0).clamp(0, 1).numpy())
        axes.set_title(name, fontsize=8)
        axes.set_axis_off()
    return figure
