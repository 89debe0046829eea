"""Quality after the first shot and each refinement step, and what becomes of sharp photos (Table 2, text around)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import torch
from matplotlib.figure import Figure
from torch import Tensor

from unblur.datasets.folders import find_root
from unblur.datasets.photos import kodak
from unblur.experiments.comparison import Comparison, compare_direction, compare_value
from unblur.experiments.figures import Line, Panel, draw_panels
from unblur.experiments.golf.data import moving_scenes
from unblur.experiments.golf.settings import IterationSettings
from unblur.experiments.result import Cell, ExperimentResult, Say, Table
from unblur.experiments.scores import psnr_of
from unblur.images.tensors import round_to_8_bits
from unblur.methods.golf.method import Golf
from unblur.methods.golf.settings import GolfSettings
from unblur.methods.options import RestoreOptions
from unblur.metrics.ssim import ssim_gaussian_valid
from unblur.weights.shipped import read_weights

__all__ = ["run"]

_PRINTED = {"Sun et al. 2015": (24.64, 0.84), "Xu et al. 2013": (25.18, 0.89), "Kim, Lee 2014": (23.64, 0.82),
            "Gong et al. 2017": (27.19, 0.90), "Golf Optimizer": (28.06, 0.85)}  # fmt: skip
"""PSNR in dB and SSIM on GoPro, Table 2."""
_LEAST = 0.05
"""Smallest gain in dB that counts."""


def run(settings: IterationSettings, say: Say) -> ExperimentResult:
    """Scores of every iterate on the held-out moving scenes, and PSNR of sharp photos against themselves."""
    scores = _score_crops(settings, say)
    kept = _score_sharp(settings, say)
    names = ["blurry", "first shot", *(f"step {number}" for number in range(1, settings.putts + 1))]
    rows: list[list[Cell]] = [
        [name, *(fmean(values) for values in zip(*column, strict=True))]
        for name, column in zip(names, zip(*scores, strict=True), strict=True)
    ]
    decibels = [fmean(crop[place][0] for crop in scores) for place in range(len(names))]
    return ExperimentResult(
        title="The first shot and each refinement step (Table 2)",
        figures={"iterations": _draw(decibels)},
        tables=(
            Table(
                "iterations", "Mean PSNR (dB) and SSIM on the held-out moving scenes", ["image", "PSNR", "SSIM"], rows
            ),
            Table(
                "sharp",
                "Sharp photos through the method: PSNR against themselves (dB)",
                ["photo", "PSNR"],
                [*kept.items()],
            ),
            Table(
                "printed",
                "Printed for GoPro, 1,111 frames (Table 2); other data, not comparable",
                ["method", "PSNR", "SSIM"],
                [[name, *values] for name, values in _PRINTED.items()],
            ),
        ),
        comparisons=_compare([value - decibels[0] for value in decibels], fmean(kept.values())),
        notes=(
            f"{settings.crops} crops of 256 pixels of the Kodak photos (two moving things, camera shake; fixed seeds). "
            "PSNR of 8-bit RGB, SSIM with the Gaussian window inside the image, means over images.",
        ),
    )


@torch.no_grad()
def _score_crops(settings: IterationSettings, say: Say) -> list[list[tuple[float, float]]]:
    """For each crop (PSNR, SSIM) of the blurry image and of each iterate."""
    method = Golf(GolfSettings(iters=settings.putts), read_weights(settings.weights))
    scores: list[list[tuple[float, float]]] = []
    for number, pair in enumerate(moving_scenes(settings.crops), start=1):
        images = (pair.blurry, *method.iterates(pair.blurry))
        scores.append([_score(image, pair.sharp) for image in images])
        if number % 20 == 0:
            say(f"{number} of {settings.crops} crops")
    return scores


@torch.no_grad()
def _score_sharp(settings: IterationSettings, say: Say) -> dict[str, float]:
    """PSNR by the name of the photo."""
    method = Golf(GolfSettings(), read_weights(settings.weights))
    photos = kodak(find_root(None))[: settings.sharp]
    kept: dict[str, float] = {}
    for path, photo in zip(photos.paths, photos, strict=True):
        kept[path.stem] = psnr_of(round_to_8_bits(method.restore(photo, RestoreOptions()).image), photo)
        say(f"{path.stem}, sharp: {kept[path.stem]:.2f} dB")
    return kept


def _score(image: Tensor, sharp: Tensor) -> tuple[float, float]:
    rounded = round_to_8_bits(image)
    return psnr_of(rounded, sharp), float(ssim_gaussian_valid(rounded, sharp, data_range=1.0))


def _compare(gains: Sequence[float], sharp: float) -> tuple[Comparison, ...]:
    _, first, *putts = gains
    better = max(putts) - first
    best = float(1 + putts.index(max(putts))) if better >= _LEAST else None
    return (
        compare_direction("the first shot deblurs", "yes", first, least=_LEAST),
        compare_direction(
            "refinement steps improve on it", "yes", better, least=_LEAST, form="+.4f", note="the best of them"
        ),
        compare_value(
            "number of refinement steps after which the PSNR is best",
            3,
            best,
            within=1,
            printed_as="2 to 4",
            note=f"not measured where refinement steps gain less than {_LEAST:g} dB",
        ),
        Comparison(
            "gain on the test set", "28.06 dB on GoPro, input about 25.6", f"{gains[-1]:+.2f} dB", note="other data"
        ),
        Comparison("sharp photos stay as they are", "not in the paper", f"{sharp:.2f} dB"),
    )


def _draw(decibels: Sequence[float]) -> Figure:
    line = Line(list(range(len(decibels) - 1)), decibels[1:], "iterates")
    return draw_panels([Panel([line], "steps after the first shot", "mean PSNR, dB", levels={"blurry": decibels[0]})])
