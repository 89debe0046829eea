"""K4: does a network learn better when some of its pairs get the blur of others? None, imgaug, comb at equal length."""

from __future__ import annotations

from unblur.datasets.blur_settings import DynamicBlur
from unblur.datasets.scene_streams import BlurPart
from unblur.experiments.kernel_space.blur_swap import draw_gains
from unblur.experiments.kernel_space.data import Samples, gain_of, held_out, stream_of, train
from unblur.experiments.kernel_space.settings import AugmentationSettings
from unblur.experiments.result import Comparison, ExperimentResult, Say, Table
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


def run(settings: AugmentationSettings, say: Say) -> ExperimentResult:
    """Three trainings of equal length, from the same start."""
    crops = held_out([DynamicBlur(steps=17)], settings.crops, settings.size)
    gains: dict[str, float] = {}
    for name, stream in _streams(settings).items():
        network = train(stream, settings, lambda told, name=name: say(f"{name}: {told}"))
        gains[name] = gain_of(network, crops)
        say(f"{name}: {gains[name]:+.3f} dB")
    none, classical, both = gains.values()
    return ExperimentResult(
        title="Blur as augmentation: none, classical blurs, and carried-over blur besides",
        figures={"augmentation": draw_gains(gains)},
        tables=(Table("augmentation", "Gain over the blurry photo, dB", ["augmentation", "gain"], [*gains.items()]),),
        comparisons=(
            Comparison(
                "comb is better than imgaug",
                "it is",
                f"{both:+.3f} dB against {classical:+.3f} dB (none: {none:+.3f} dB)",
                both > classical,
            ),
        ),
        notes=(
            "none: pairs of moving scenes; imgaug: half of them replaced by straight motion, camera shake, Gaussian "
            "blur and defocus; comb: a third of each, the last third under the blur of another pair of moving scenes.",
            f"{settings.steps} steps of {settings.batch} crops of {settings.size} pixels each; {settings.crops} crops "
            "of Kodak photos under moving scenes. The network is a DMPHN that begins as the identity.",
        ),
    )


def _streams(settings: AugmentationSettings) -> dict[str, Samples]:
    original = stream_of([_ORIGINAL], settings.photos, settings.size, settings.seed)
    mixed = [BlurPart("dynamic", float(len(_CLASSICAL)), _ORIGINAL.blur), *_CLASSICAL]
    classical = stream_of(mixed, settings.photos, settings.size, settings.seed)
    comb = LearnedBlurStream(classical, settings.weights, sources=original, share=_TRANSFERRED, seed=settings.seed)
    return {"none": original, "imgaug": classical, "comb": comb}
