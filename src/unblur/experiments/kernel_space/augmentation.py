"""K4: training pairs as they are, with classical blurs, and with transferred blur as well, at equal length."""

from __future__ import annotations

from unblur.datasets.blur_settings import DynamicBlur
from unblur.datasets.scene_streams import BlurPart
from unblur.datasets.unpaired_streams import SampleStream
from unblur.experiments.comparison import compare_direction
from unblur.experiments.figures import draw_bars
from unblur.experiments.kernel_space.data import held_out, stream_of, train_and_score
from unblur.experiments.kernel_space.settings import AugmentationSettings
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.methods.kernel_space.streams import LearnedBlurStream

__all__ = ["run"]

_ORIGINAL = BlurPart("dynamic", 1.0, {"steps": 17})
_CLASSICAL = [
    BlurPart("linear", 1.0, {"kernel_size": 25}),
    BlurPart("shake", 1.0, {"kernel_size": 25}),
    BlurPart("gaussian", 1.0, {"kernel_size": 25, "sigma_max": 3.0}),
    BlurPart("defocus", 1.0, {"kernel_size": 25, "radius_max": 5.0}),
]
_TRANSFERRED = 1 / 3
_LEAST = 0.1
"""Smallest difference of gains in dB that counts."""


def run(settings: AugmentationSettings, say: Say) -> ExperimentResult:
    """Three trainings of equal length, from the same start."""
    crops = held_out([DynamicBlur(steps=17)], settings.crops, settings.size)
    gains = train_and_score(_streams(settings), settings, crops, say)
    none, classical, both = gains.values()
    return ExperimentResult(
        title="Blur as augmentation: none, classical blurs, and transferred blur as well",
        figures={"augmentation": draw_bars(gains, "gain over the blurry photo, dB")},
        tables=(Table("augmentation", "Gain over the blurry photo, dB", ["augmentation", "gain"], [*gains.items()]),),
        comparisons=(
            compare_direction(
                "comb is better than imgaug",
                "it is",
                both - classical,
                least=_LEAST,
                ours=f"{both:+.3f} dB against {classical:+.3f} dB (none: {none:+.3f} dB)",
            ),
        ),
        notes=(
            "none: pairs of moving scenes; imgaug: half of them replaced by straight motion, camera shake, Gaussian "
            "blur and defocus; comb: a third of each, the last third under the blur of another pair of moving scenes.",
            f"{settings.steps} steps of {settings.batch} crops of {settings.size} pixels each; {settings.crops} crops "
            "of Kodak photos under moving scenes. The network is a DMPHN that begins as the identity.",
        ),
    )


def _streams(settings: AugmentationSettings) -> dict[str, SampleStream]:
    original = stream_of([_ORIGINAL], settings)
    classical = stream_of([BlurPart("dynamic", float(len(_CLASSICAL)), _ORIGINAL.blur), *_CLASSICAL], settings)
    comb = LearnedBlurStream(classical, settings.weights, sources=original, share=_TRANSFERRED, seed=settings.seed)
    return {"none": original, "imgaug": classical, "comb": comb}
