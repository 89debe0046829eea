"""K2: whether transferred blur can replace true blur that is not available.

Set A has straight motion, set B objects that move by themselves. A network is trained on A with its blur replaced by
that of pairs of B, and tested on B, beside one trained on B and one trained on A.
"""

from __future__ import annotations

from unblur.datasets.blur_settings import DynamicBlur
from unblur.datasets.scene_streams import BlurPart
from unblur.datasets.unpaired_streams import SampleStream
from unblur.experiments.comparison import Comparison, compare_value
from unblur.experiments.figures import draw_bars
from unblur.experiments.kernel_space.data import held_out, stream_of, train_and_score
from unblur.experiments.kernel_space.settings import SwapSettings
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.methods.kernel_space.streams import LearnedBlurStream

__all__ = ["run"]

_LINEAR = [BlurPart("linear", 1.0, {"kernel_size": 17, "length_max": 15.0})]
_DYNAMIC = [BlurPart("dynamic", 1.0, {"steps": 17, "length_max": 15.0})]
_TEST = DynamicBlur(steps=17, length_max=15.0)
_LEAST = 0.1
"""Smallest difference of gains in dB that counts."""


def run(settings: SwapSettings, say: Say) -> ExperimentResult:
    """Three trainings of equal length, from the same start."""
    gains = train_and_score(_streams(settings), settings, held_out([_TEST], settings.crops, settings.size), say)
    return ExperimentResult(
        title="Blur swap: a network trained on transferred blur",
        figures={"swap": draw_bars(gains, "gain over the blurry photo, dB")},
        tables=(Table("swap", "Gain on B over the blurry photo, dB", ["trained on", "gain"], [*gains.items()]),),
        comparisons=(_compare(*gains.values()),),
        notes=(
            f"A: straight motion, B: moving things; {settings.steps} steps of {settings.batch} crops of "
            f"{settings.size} pixels each, the same photos; {settings.crops} crops of Kodak photos under B.",
            "The network is a DMPHN that begins as the identity, in place of the one of the paper.",
        ),
    )


def _compare(true: float, swapped: float, other: float) -> Comparison:
    """The swapped blur as a share of the way from A (0) to B (1)."""
    share = (swapped - other) / (true - other) if true - other >= _LEAST else None
    return compare_value(
        "gain by swapped blur on the scale from A (0) to true blur B (1)",
        1,
        share,
        within=0.5,
        neutral=0,
        printed_as="comparable (images only), taken as 1",
        note=f"B {true:+.3f}, swapped {swapped:+.3f}, A {other:+.3f} dB; not "
        f"measured where B is less than {_LEAST:g} dB above A",
    )


def _streams(settings: SwapSettings) -> dict[str, SampleStream]:
    linear, dynamic = stream_of(_LINEAR, settings), stream_of(_DYNAMIC, settings)
    swapped = LearnedBlurStream(linear, settings.weights, sources=dynamic, share=1.0, seed=settings.seed)
    return {"B": dynamic, "A under the blur of B": swapped, "A": linear}
