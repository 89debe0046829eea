"""Camera shake restored by MAP, by golf, and by MAP with golf's putt as the learned prior (beyond the paper)."""

from __future__ import annotations

from statistics import fmean

import torch

from unblur.datasets.blur_settings import Sensor, ShakeBlur
from unblur.experiments.comparison import Comparison
from unblur.experiments.figures import Line, Panel, draw_panels
from unblur.experiments.golf.settings import RefineSettings
from unblur.experiments.photos import kodak_pairs
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.experiments.scores import psnr_of
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions

__all__ = ["run"]

_SEED = 2027
_NOISE = 0.002
_MAP, _REFINED = "map", "map, refined by golf"


def run(settings: RefineSettings, say: Say) -> ExperimentResult:
    """Scores of all methods on the same photos, up to a shift."""
    methods = {
        "golf": (load_method("golf"), RestoreOptions()),
        _MAP: (load_method("map"), RestoreOptions()),
        _REFINED: (load_method("map"), RestoreOptions(refine="golf")),
    }
    blurs, sensor = [ShakeBlur(kernel_size=settings.kernel_size)], Sensor(noise_sigma=_NOISE)
    scores: dict[str, list[float]] = {"blurry": [], **{name: [] for name in methods}}
    for number, pair in enumerate(kodak_pairs(blurs, settings.crops, settings.size, _SEED, sensor=sensor), start=1):
        scores["blurry"].append(psnr_of(pair.blurry, pair.sharp, "shift"))
        for name, (method, options) in methods.items():
            with torch.no_grad():
                scores[name].append(psnr_of(method.restore(pair.blurry, options).image, pair.sharp, "shift"))
        line = ", ".join(f"{name} {values[-1]:.2f}" for name, values in scores.items())
        say(f"{number} of {settings.crops}, {pair.name}: {line} dB")
    gains = [after - before for before, after in zip(scores[_MAP], scores[_REFINED], strict=True)]
    better = sum(gain > 0 for gain in gains)
    sorted_gains = Line(list(range(1, len(gains) + 1)), sorted(gains))
    return ExperimentResult(
        title="Kernel from MAP, prior from golf",
        figures={"refined": draw_panels([Panel([sorted_gains], "photos, sorted", "gain over map, dB")])},
        tables=(
            Table(
                "refined",
                "Mean PSNR in dB, RGB, protocol shift",
                ["image", "PSNR", "gain"],
                [[name, fmean(values), fmean(values) - fmean(scores["blurry"])] for name, values in scores.items()],
            ),
        ),
        comparisons=(
            Comparison(
                "gain of golf's putt over MAP", "not in the paper", f"{fmean(gains):+.2f} dB, {better} of {len(gains)}"
            ),
        ),
        notes=(
            f"{settings.crops} crops of {settings.size} pixels of the Kodak photos, shaken within "
            f"{settings.kernel_size} pixels in linear light, noise {_NOISE}, 8 bits, seed {_SEED}.",
        ),
    )
