"""Photos of experiments: BSDS500 for training, Kodak for tests; the two share no scene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count as count_up
from pathlib import Path

import torch
from torch import Tensor

from unblur.datasets.blur_settings import FrameAverage, Sensor, Synthesis
from unblur.datasets.folders import find_root, need_folder
from unblur.datasets.frames import AveragedFrames, exposures_of, read_frames
from unblur.datasets.pairs import Pair
from unblur.datasets.photos import bsds500_folder, kodak
from unblur.datasets.scene_streams import BlurPart, SceneStream
from unblur.datasets.synthesis import make_pair, seed_for
from unblur.datasets.unpaired_streams import SampleStream
from unblur.images.tensors import round_to_8_bits

__all__ = ["averaged_frames", "batches", "evenly", "kodak_pairs", "middle_of", "training_stream"]


def kodak_pairs(
    blurs: Sequence[object], number: int, size: int, seed: int, *, sensor: Sensor | None = None, own_seeds: bool = False
) -> list[Pair]:
    """Blurred crops of the 24 Kodak photos, on the 256 levels of a file; the same in every run.

    Crop i is of photo i mod 24. Its seed is made of `seed`, the photo's name, and i div 24.

    Args:
        blurs: Settings of kinds of blur, which the crops get in turn.
        number: Number of crops.
        size: Side of the crops in pixels.
        seed: Seed of the set.
        sensor: Noise; None: none.
        own_seeds: Make seeds of i in place of i div 24.

    Raises:
        DataError: The photos are not there.
    """
    photos = kodak(find_root(None))
    pairs: list[Pair] = []
    for place in range(number):
        photo, turn = place % len(photos), place // len(photos)
        name = photos.paths[photo].stem
        synthesis = Synthesis(blurs[place % len(blurs)], sensor or Sensor(), size=size)
        key = f"{name}/{place if own_seeds else turn}"
        pairs.append(make_pair(photos[photo], synthesis, seed_for(seed, key), name).pair)
    return pairs


def averaged_frames(
    folder: str, counts: Sequence[int], *, step: int = 4, crop: int = 0, root: Path | None = None
) -> list[AveragedFrames]:
    """Pairs made of one sequence, with gamma 2.2 and 8 bits; each begins some frames after the one before.

    Args:
        folder: Folder of the frames, below that of the data sets.
        counts: Number of frames in each pair.
        step: Frames from the start of one pair to that of the next; the last ones begin early enough to be complete.
        crop: Side in pixels of the central crop; 0: whole frames.
        root: Folder of the data sets; None: as `find_root` has it.

    Raises:
        DataError: The frames are not there, or too few.
    """
    source = need_folder(find_root(root) / folder, "consecutive frames")
    frames = [(name, middle_of(image, crop)) for name, image in read_frames(source)]
    pairs: list[AveragedFrames] = []
    for number, count in enumerate(counts):
        start = max(0, min(step * number, len(frames) - count))
        [pair] = exposures_of(frames[start : start + count], FrameAverage(count=count))
        pairs.append(replace(pair, blurry=round_to_8_bits(pair.blurry)))
    return pairs


def training_stream(
    parts: Sequence[BlurPart], photos: str, size: int, seed: int, *, noise_share: float = 0.5
) -> SceneStream:
    """Blurred crops for training.

    Args:
        parts: Kinds of blur.
        photos: Folder of sharp photos; empty: the training part of BSDS500.
        size: Side of the crops in pixels.
        seed: Seed of the stream.
        noise_share: Share of the crops with shot noise.

    Raises:
        DataError: The photos are not there.
    """
    folder = photos or str(bsds500_folder(find_root(None), "train"))
    return SceneStream([folder], parts, size=size, noise_share=noise_share, seed=seed)


def evenly(count: int, limit: int) -> list[int]:
    """Places of at most `limit` (0: all) of `count` items, evenly spread."""
    taken = min(limit or count, count)
    return [number * count // taken for number in range(taken)]


def middle_of(image: Tensor, side: int) -> Tensor:
    """The square of that side in pixels in the middle of an image; all of it where it is smaller, or for side 0."""
    if side == 0:
        return image
    top, left = (max(0, (length - side) // 2) for length in image.shape[-2:])
    return image[..., top : top + side, left : left + side]


def batches(stream: SampleStream, size: int) -> Iterator[dict[str, Tensor]]:
    """Consecutive batches of a stream without end: `blurry` and `sharp`, each `(size, 3, s, s)`."""
    for number in count_up():
        samples = [stream.sample(number * size + place) for place in range(size)]
        yield {name: torch.stack([sample[name] for sample in samples]) for name in ("blurry", "sharp")}
