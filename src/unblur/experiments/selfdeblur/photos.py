"""Photos, grey or in colour, with their true images, for the experiments with SelfDeblur's weak supervision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.blur.dynamic import random_blobs
from unblur.blur.kernels import gaussian_kernel
from unblur.blur.trajectories import sample_motion_kernel
from unblur.datasets import open_dataset
from unblur.datasets.blur_settings import Sensor, ShakeBlur, Synthesis
from unblur.datasets.camera import simulate_camera
from unblur.datasets.folders import find_root
from unblur.datasets.photos import bsds500
from unblur.datasets.synthesis import make_pair, seed_for
from unblur.experiments.photos import averaged_frames, evenly, middle_of
from unblur.experiments.scores import psnr_of
from unblur.methods.options import Encoding
from unblur.metrics.luma import luma_skimage

__all__ = ["NOISE", "Photo", "open_photos", "scenes", "synthetic_photos"]

NOISE = 0.01
"""Standard deviation of the noise of synthetic photos."""
_SEED = 2026
_KERNEL = 17
"""Side of the kernels of synthetic photos; none of them is one of Levin's."""
_SIDE = 256
_FRAMES, _FRAME_COUNTS = "frames/gopro240_GOPR0477_11_00_crop", (9, 13, 17, 21, 25, 29, 33)
"""Frames at 240 a second, and how many of them are averaged."""
_SOFTNESS = 2.0
"""Standard deviation in pixels of the blur of the moving object's outline."""


@dataclass(frozen=True)
class Photo:
    """One pair, `(1, 1, h, w)` each, or `(1, 3, h, w)` in colour.

    Attributes:
        name: Name of its rows.
        blurry: The blurry image.
        sharp: The true image.
        encoding: Encoding in which it was blurred.
        psnr: PSNR of the blurry image in dB, protocol `shift`.
        kernel: The true kernel, `(1, 1, kh, kw)`; None: more than one.
        mask: Share of the moving object in each pixel of the true image, `(1, 1, h, w)`; None: no object moves.
    """

    name: str
    blurry: Tensor
    sharp: Tensor
    encoding: Encoding
    psnr: float
    kernel: Tensor | None = None
    mask: Tensor | None = None


def open_photos(suite: str, limit: int = 0, crop: int = 0, data: str = "", *, colour: bool = False) -> list[Photo]:
    """Photos of a data set with pairs, of `synthetic`, of `scenes` or of `frames`.

    Args:
        suite: Name of the data set.
        limit: Number of photos, spread evenly; 0: all.
        crop: Side in pixels of the central crop; 0: the whole photo (256 for synthetic ones).
        data: Folder of the data sets; empty: that of `UNBLUR_DATA`.
        colour: In colour in place of grey; photos of a grey set stay grey.

    Raises:
        UsageError: No such data set.
        DataError: It is not there.
    """
    if suite == "synthetic":
        return synthetic_photos(limit, crop or _SIDE, data=data, colour=colour)
    if suite == "scenes":
        return scenes(limit, crop or _SIDE, data=data, colour=colour)
    if suite == "frames":
        return _frames(limit, crop or _SIDE, data, colour=colour)
    pairs = open_dataset(suite, Path(data) if data else None)
    photos: list[Photo] = []
    for place in evenly(len(pairs), limit):
        pair = pairs[place]
        blurry, sharp = (middle_of(_toned(image, colour=colour), crop) for image in (pair.blurry, pair.sharp))
        photos.append(_photo(pair.name, blurry, sharp, pair.encoding, kernel=pair.kernel))
    return photos


def synthetic_photos(
    limit: int, crop: int, *, noise: float = NOISE, split: str = "val", data: str = "", colour: bool = False
) -> list[Photo]:
    """Crops of BSDS500, each under a random camera shake, uniform over the crop; 8 bits.

    Args:
        limit: Number of crops, spread evenly over the part; 0: all.
        crop: Side of the crops in pixels.
        noise: Standard deviation of the noise; shake and crop do not depend on it.
        split: Part of BSDS500.
        data: Folder of the data sets; empty: that of `UNBLUR_DATA`.
        colour: In colour in place of grey.

    Raises:
        DataError: BSDS500 is not there.
    """
    sensor = Sensor(noise_sigma=noise)
    synthesis = Synthesis(ShakeBlur(kernel_size=_KERNEL), sensor, encoding="encoded", size=crop)
    return [
        _photo(pair.name, pair.blurry, pair.sharp, "encoded", kernel=pair.kernel)
        for name, photo in _bsds(split, limit, data, colour)
        for pair in [make_pair(photo, synthesis, seed_for(_SEED, name), name).pair]
    ]


def scenes(limit: int, crop: int, *, data: str = "", colour: bool = False) -> list[Photo]:
    """Crops of BSDS500 in two layers: one shake for the background, another for an object with a soft outline.

    The object and its outline are blurred together; it covers the background for its share of the exposure.

    Args:
        limit: Number of crops, spread evenly over the validation part; 0: all.
        crop: Side of the crops in pixels.
        data: Folder of the data sets; empty: that of `UNBLUR_DATA`.
        colour: In colour in place of grey.

    Raises:
        DataError: BSDS500 is not there.
    """
    return [_scene(name, photo, crop) for name, photo in _bsds("val", limit, data, colour)]


def _scene(name: str, photo: Tensor, crop: int) -> Photo:
    generator = torch.Generator().manual_seed(seed_for(_SEED, name))
    margin = _KERNEL // 2
    sharp = middle_of(photo, crop + 2 * margin)
    behind, before = (sample_motion_kernel(_KERNEL, generator) for _ in range(2))
    [thing] = random_blobs((sharp.shape[-2], sharp.shape[-1]), 1, generator)
    mask = convolve(thing[None, None].float(), gaussian_kernel(_SOFTNESS), "replicate")
    covered = convolve(mask, before, "valid")
    blurred = convolve(mask * sharp, before, "valid") + (1 - covered) * convolve(sharp, behind, "valid")
    inside = (..., slice(margin, margin + crop), slice(margin, margin + crop))
    synthesis = Synthesis(ShakeBlur(kernel_size=_KERNEL), Sensor(noise_sigma=NOISE), encoding="encoded")
    return _photo(name, *simulate_camera(blurred, sharp[inside], synthesis, generator), "encoded", mask=mask[inside])


def _frames(limit: int, crop: int, data: str, *, colour: bool) -> list[Photo]:
    """Pairs of averaged frames of a camera in the hand: the blur varies, and people move by themselves."""
    counts = [_FRAME_COUNTS[place] for place in evenly(len(_FRAME_COUNTS), limit)]
    pairs = averaged_frames(_FRAMES, counts, crop=crop, root=Path(data) if data else None)
    photos: list[Photo] = []
    for pair, count in zip(pairs, counts, strict=True):
        blurry, sharp = (_toned(image, colour=colour) for image in (pair.blurry, pair.sharp))
        photos.append(_photo(f"{pair.name}, {count} frames", blurry, sharp, "linear"))
    return photos


def _bsds(split: str, limit: int, data: str, colour: bool) -> list[tuple[str, Tensor]]:
    photos = bsds500(find_root(Path(data) if data else None), split)
    return [(photos.paths[place].stem, _toned(photos[place], colour=colour)) for place in evenly(len(photos), limit)]


def _toned(image: Tensor, *, colour: bool) -> Tensor:
    return image if colour else luma_skimage(image)


def _photo(
    name: str,
    blurry: Tensor,
    sharp: Tensor,
    encoding: Encoding,
    *,
    kernel: Tensor | None = None,
    mask: Tensor | None = None,
) -> Photo:
    return Photo(name, blurry, sharp, encoding, psnr_of(blurry, sharp, "shift"), kernel, mask)
