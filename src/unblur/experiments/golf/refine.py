"""Camera shake restored by MAP, by golf, and by MAP with golf's putt as the learned prior (beyond the paper)."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

import torch
from matplotlib.figure import Figure
from torch import Tensor

from unblur.datasets.blur_settings import Sensor, ShakeBlur, Synthesis
from unblur.datasets.folders import find_root
from unblur.datasets.photos import kodak
from unblur.datasets.synthesis import make_pair, seed_for
from unblur.experiments.golf.settings import RefineSettings
from unblur.experiments.result import Comparison, ExperimentResult, Say, Table
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.metrics.score import score

__all__ = ["run"]

_SEED = 2027
_NOISE = 0.002


def run(settings: RefineSettings, say: Say) -> ExperimentResult:
    """Scores of all ways on the same photos, up to a shift."""
    ways = {
        "golf": (load_method("golf"), RestoreOptions()),
        "map": (load_method("map"), RestoreOptions()),
        "map, refined by golf": (load_method("map"), RestoreOptions(refine="golf")),
    }
    scores: dict[str, list[float]] = {"blurry": [], **{way: [] for way in ways}}
    for number, (name, blurry, sharp) in enumerate(_shaken(settings), start=1):
        scores["blurry"].append(_decibels(blurry, sharp))
        for way, (method, options) in ways.items():
            with torch.no_grad():
                scores[way].append(_decibels(method.restore(blurry, options).image, sharp))
        said = ", ".join(f"{way} {values[-1]:.2f}" for way, values in scores.items())
        say(f"{number} of {settings.crops}, {name}: {said} dB")
    gains = [after - before for before, after in zip(scores["map"], scores["map, refined by golf"], strict=True)]
    better = sum(gain > 0 for gain in gains)
    return ExperimentResult(
        title="Kernel from MAP, prior from golf",
        figures={"refined": _draw(gains)},
        tables=(
            Table(
                "refined",
                "Mean PSNR in dB, RGB, protocol shift",
                ["image", "PSNR", "gain"],
                [[way, fmean(values), fmean(values) - fmean(scores["blurry"])] for way, values in scores.items()],
            ),
        ),
        comparisons=(
            Comparison(
                "golf's putt improves on MAP", "not in the paper", f"{fmean(gains):+.2f} dB, {better} of {len(gains)}"
            ),
        ),
        notes=(
            f"{settings.crops} crops of {settings.size} pixels of the Kodak photos, shaken within "
            f"{settings.kernel_size} pixels in linear light, noise {_NOISE}, 8 bits, seed {_SEED}.",
        ),
    )


def _shaken(settings: RefineSettings) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Crop i is of photo i mod 24."""
    photos = kodak(find_root(None))
    synthesis = Synthesis(ShakeBlur(kernel_size=settings.kernel_size), Sensor(noise_sigma=_NOISE), size=settings.size)
    for number in range(settings.crops):
        place = number % len(photos)
        name = photos.paths[place].stem
        pair = make_pair(photos[place], synthesis, seed_for(_SEED, f"{name}/{number // len(photos)}"), name).pair
        yield name, pair.blurry, pair.sharp


def _decibels(image: Tensor, sharp: Tensor) -> float:
    return float(score(image.clamp(0, 1), sharp, "shift").psnr)


def _draw(gains: list[float]) -> Figure:
    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.bar(range(1, len(gains) + 1), sorted(gains))
    axes.axhline(0, color="grey")
    axes.set(xlabel="photos, sorted", ylabel="gain over map, dB")
    return figure
