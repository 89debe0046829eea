"""Moving scenes for the Golf Optimizer's experiments: a training stream and a fixed test set."""

from __future__ import annotations

from unblur.datasets.blur_settings import DynamicBlur
from unblur.datasets.pairs import Pair
from unblur.datasets.scene_streams import BlurPart, SceneStream
from unblur.experiments.photos import kodak_pairs, training_stream

__all__ = ["moving_scenes", "scene_stream"]

_SEED = 2026
"""Seed of the test crops; training seeds are small numbers."""
_PARTS = (BlurPart("dynamic", 3.0, {"steps": 17}), BlurPart("shake", 1.0, {"kernel_size": 17}))


def moving_scenes(number: int, size: int = 256) -> list[Pair]:
    """The test set: crops of the Kodak photos under `DynamicBlur()` in linear light, without noise.

    That is two moving things, 5 to 30 pixels, and camera shake of 6 pixels.

    Raises:
        DataError: The photos are not there.
    """
    return kodak_pairs([DynamicBlur()], number, size, _SEED)


def scene_stream(photos: str, size: int, seed: int) -> SceneStream:
    """Training crops with moving scenes and camera shake; arguments and errors as for `training_stream`."""
    return training_stream(_PARTS, photos, size, seed)
