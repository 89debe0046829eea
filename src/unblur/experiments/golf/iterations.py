"""Quality of the first shot and after each putt, and what becomes of sharp photos (Table 2 and the text around it)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

import torch
from matplotlib.figure import Figure
from torch import Tensor

from unblur.datasets.folders import find_root
from unblur.datasets.photos import kodak
from unblur.experiments.golf.data import dynamic_crops
from unblur.experiments.golf.settings import IterationSettings
from unblur.experiments.result import Comparison, ExperimentResult, Say, Table
from unblur.methods.golf.method import Golf
from unblur.methods.golf.settings import GolfSettings
from unblur.methods.options import RestoreOptions
from unblur.metrics.psnr import psnr
from unblur.metrics.ssim import ssim_gaussian_valid
from unblur.weights.shipped import read_weights

__all__ = ["run"]

_PRINTED = {"Sun et al. 2015": (24.64, 0.84), "Xu et al. 2013": (25.18, 0.89), "Kim, Lee 2014": (23.64, 0.82),
            "Gong et al. 2017": (27.19, 0.90), "Golf Optimizer": (28.06, 0.85)}  # fmt: skip
"""PSNR in dB and SSIM on GoPro, Table 2."""


def run(settings: IterationSettings, say: Say) -> ExperimentResult:
    """Scores of every iterate on the held-out moving scenes, and PSNR of sharp photos against themselves."""
    method = Golf(GolfSettings(iters=settings.putts), read_weights(settings.weights))
    scores = _score_crops(method, settings, say)
    kept = _score_sharp(settings, say)
    rows = [
        [name, *(mean(values[place] for values in column) for place in range(2))]
        for name, column in zip(_names(settings.putts), zip(*scores, strict=True), strict=True)
    ]
    decibels = [float(row[1]) for row in rows]
    gains = [value - decibels[0] for value in decibels]
    return ExperimentResult(
        title="The first shot and each putt (Table 2)",
        figures={"iterations": _draw(decibels)},
        tables=(
            Table(
                "iterations", "Mean PSNR (dB) and SSIM on the held-out moving scenes", ["image", "PSNR", "SSIM"], rows
            ),
            Table("sharp", "Sharp photos through the method: PSNR against themselves (dB)", ["photo", "PSNR"], kept),
            Table(
                "printed",
                "Printed for GoPro, 1,111 frames (Table 2); other data, not comparable",
                ["method", "PSNR", "SSIM"],
                [[name, *values] for name, values in _PRINTED.items()],
            ),
        ),
        comparisons=_compare(gains, kept),
        notes=(
            f"{settings.crops} crops of 256 pixels of the Kodak photos (two moving things, camera shake; fixed seeds). "
            "PSNR of 8-bit RGB, SSIM with the Gaussian window inside the image, means over images.",
        ),
    )


def _score_crops(method: Golf, settings: IterationSettings, say: Say) -> list[list[tuple[float, float]]]:
    """For each crop (PSNR, SSIM) of the blurry image and of each iterate."""
    crops = dynamic_crops(settings.crops)
    scores: list[list[tuple[float, float]]] = []
    for number, (blurry, sharp) in enumerate(zip(crops.blurry.split(1), crops.sharp.split(1), strict=True), start=1):
        with torch.no_grad():
            scores.append([_score(image, sharp) for image in (blurry, *method.iterates(blurry))])
        if number % 20 == 0:
            say(f"{number} of {settings.crops} crops")
    return scores


def _score_sharp(settings: IterationSettings, say: Say) -> list[list[str | float]]:
    method = Golf(GolfSettings(), read_weights(settings.weights))
    photos = kodak(find_root(None))[: settings.sharp]
    rows: list[list[str | float]] = []
    for path, photo in zip(photos.paths, photos, strict=True):
        with torch.no_grad():
            rows.append([path.stem, _score(method.restore(photo, RestoreOptions()).image, photo)[0]])
        say(f"{path.stem}, sharp: {rows[-1][1]:.2f} dB")
    return rows


def _score(image: Tensor, sharp: Tensor) -> tuple[float, float]:
    rounded = (image.clamp(0, 1) * 255).round() / 255
    quality = psnr(rounded, sharp, data_range=1.0).clamp(max=100)
    return float(quality), float(ssim_gaussian_valid(rounded, sharp, data_range=1.0))


def _names(putts: int) -> list[str]:
    return ["blurry", "first shot", *(f"putt {number}" for number in range(1, putts + 1))]


def _compare(gains: Sequence[float], kept: Sequence[Sequence[str | float]]) -> tuple[Comparison, ...]:
    best = max(range(1, len(gains)), key=lambda place: gains[place]) - 1
    sharp = mean(float(row[1]) for row in kept)
    return (
        Comparison("the first shot deblurs", "yes", f"{gains[1]:+.2f} dB", gains[1] > 0),
        Comparison(
            "putts improve on it", "yes", f"{max(gains[2:]) - gains[1]:+.2f} dB at best", max(gains[2:]) > gains[1]
        ),
        Comparison("best after", "2 to 4 putts", f"{best} putts", 2 <= best <= 4),
        Comparison(
            "gain on the test set", "28.06 dB on GoPro, input about 25.6", f"{gains[-1]:+.2f} dB", note="other data"
        ),
        Comparison("sharp photos stay as they are", "not in the paper", f"{sharp:.2f} dB"),
    )


def _draw(decibels: Sequence[float]) -> Figure:
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(range(len(decibels) - 1), decibels[1:], marker="o", label="iterates")
    axes.axhline(decibels[0], color="grey", linestyle="--", label="blurry")
    axes.set(xlabel="putts after the first shot", ylabel="mean PSNR, dB")
    axes.legend()
    return figure
