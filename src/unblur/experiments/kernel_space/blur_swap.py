"""K2: can blur that was carried over stand in for blur that is not to be had?

Set A has straight motion, set B things that move by themselves. A network learns on A with its blur replaced by that of
pairs of B, and is tested on B, between one that learned on B and one that learned on A.
"""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from unblur.datasets.blur_settings import DynamicBlur
from unblur.datasets.scene_streams import BlurPart
from unblur.experiments.kernel_space.data import Samples, gain_of, held_out, stream_of, train
from unblur.experiments.kernel_space.settings import SwapSettings
from unblur.experiments.result import Comparison, ExperimentResult, Say, Table
from unblur.methods.kernel_space.streams import LearnedBlurStream

__all__ = ["run"]

_LINEAR = [BlurPart("linear", 1.0, {"kernel_size": 17, "length_max": 15.0})]
_DYNAMIC = [BlurPart("dynamic", 1.0, {"steps": 17, "length_max": 15.0})]
_TEST = DynamicBlur(steps=17, length_max=15.0)


def run(settings: SwapSettings, say: Say) -> ExperimentResult:
    """Three trainings of equal length, from the same start."""
    crops = held_out([_TEST], settings.crops, settings.size)
    gains: dict[str, float] = {}
    for name, stream in _streams(settings).items():
        network = train(stream, settings, lambda told, name=name: say(f"{name}: {told}"))
        gains[name] = gain_of(network, crops)
        say(f"{name}: {gains[name]:+.3f} dB on B")
    best, swapped, worst = gains.values()
    return ExperimentResult(
        title="Blur swap: a network that learned on carried-over blur",
        figures={"swap": draw_gains(gains)},
        tables=(Table("swap", "Gain on B over the blurry photo, dB", ["learned on", "gain"], [*gains.items()]),),
        comparisons=(
            Comparison(
                "swapped blur is worth about as much as the true one",
                "comparable (images only)",
                f"{swapped:+.3f} dB, between {worst:+.3f} (A) and {best:+.3f} (B)",
                swapped >= (best + worst) / 2,
                "holds from the middle between both",
            ),
        ),
        notes=(
            f"A: straight motion, B: moving things; {settings.steps} steps of {settings.batch} crops of "
            f"{settings.size} pixels each, the same photos; {settings.crops} crops of Kodak photos under B.",
            "The network is a DMPHN that begins as the identity, in place of the one of the paper.",
        ),
    )


def draw_gains(gains: Mapping[str, float]) -> Figure:
    """A bar for each training."""
    figure = Figure(figsize=(6, 2.8), layout="constrained")
    axes = figure.subplots()
    axes.barh(list(gains), list(gains.values()))
    axes.invert_yaxis()
    axes.set_xlabel("gain over the blurry photo, dB")
    return figure


def _streams(settings: SwapSettings) -> dict[str, Samples]:
    linear, dynamic = (stream_of(parts, settings.photos, settings.size, settings.seed) for parts in (_LINEAR, _DYNAMIC))
    swapped = LearnedBlurStream(linear, settings.weights, sources=dynamic, share=1.0, seed=settings.seed)
    return {"B": dynamic, "A under the blur of B": swapped, "A": linear}
