"""Photos for the Golf Optimizer's experiments: BSDS500 to learn from, Kodak to measure on; they share no scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor

from unblur.datasets.blur_settings import DynamicBlur, Synthesis
from unblur.datasets.folders import find_root
from unblur.datasets.photos import bsds500_folder, kodak
from unblur.datasets.scene_streams import BlurPart, SceneStream
from unblur.datasets.synthesis import make_pair, seed_for

__all__ = ["Crops", "batches", "dynamic_crops", "scene_stream"]

_SEED = 2026
"""Of the test crops; training seeds are small numbers."""


@dataclass(frozen=True)
class Crops:
    """Pairs of one size `(n, 3, s, s)`, on the 256 levels of a file."""

    blurry: Tensor
    sharp: Tensor


def dynamic_crops(number: int, size: int = 256) -> Crops:
    """The held-out set of moving scenes: crops of the 24 Kodak photos, always the same.

    Crop i is of photo i mod 24, blurred as `DynamicBlur` does by default (two moving things, 5 to 30 pixels, camera
    shake of 6 pixels) in linear light, without noise; its seed is made of 2026, the photo's name and i div 24.

    Raises:
        DataError: The photos are not there.
    """
    photos = kodak(find_root(None))
    synthesis = Synthesis(DynamicBlur(), size=size)
    pairs = [
        make_pair(photos[i % len(photos)], synthesis, seed_for(_SEED, f"{name}/{i // len(photos)}"), name).pair
        for i in range(number)
        for name in [photos.paths[i % len(photos)].stem]
    ]
    return Crops(torch.cat([pair.blurry for pair in pairs]), torch.cat([pair.sharp for pair in pairs]))


def scene_stream(photos: str, size: int, seed: int) -> SceneStream:
    """Blurred crops to learn from: moving scenes and camera shake.

    Args:
        photos: Folder; empty: the training part of BSDS500.
        size: Side of the crops in pixels.
        seed: Of the stream.
    """
    folder = photos or str(bsds500_folder(find_root(None), "train"))
    parts = [BlurPart("dynamic", 3.0, {"steps": 17}), BlurPart("shake", 1.0, {"kernel_size": 17})]
    return SceneStream([folder], parts, size=size, seed=seed)


def batches(stream: SceneStream, size: int, first: int = 0) -> Iterator[dict[str, Tensor]]:
    """Batches of a stream for ever, from a number of a batch on."""
    for number in count(first):
        samples = [stream.sample(number * size + place) for place in range(size)]
        yield {name: torch.stack([sample[name] for sample in samples]) for name in ("blurry", "sharp")}
