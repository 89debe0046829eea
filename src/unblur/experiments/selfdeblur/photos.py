"""Photos in grey with their truth, for the experiments with SelfDeblur's weak supervision."""

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
from unblur.methods.options import Encoding
from unblur.metrics.luma import luma_skimage
from unblur.metrics.score import score

__all__ = ["NOISE", "Photo", "open_photos", "scenes", "synthetic_photos"]

NOISE = 0.01
"""Standard deviation of the noise of synthetic photos."""
_SEED = 2026
_KERNEL = 17
"""Side of the kernels of synthetic photos; none of them is one of Levin's."""
_SIDE = 256
_SOFTNESS = 2.0
"""Of the outline of the moving thing, in pixels."""


@dataclass(frozen=True)
class Photo:
    """One pair in grey, `(1, 1, h, w)` each.

    Attributes:
        name: For rows.
        blurry: As the methods see it.
        sharp: The truth.
        light: In which it was blurred.
        psnr: Of the blurry photo, dB, protocol `shift`.
        kernel: The true one, `(1, 1, kh, kw)`, where there is one for all of it.
        mask: Where the moving thing lies in the truth, `(1, 1, h, w)` in [0, 1]; None: nothing moves by itself.
    """

    name: str
    blurry: Tensor
    sharp: Tensor
    light: Encoding
    psnr: float
    kernel: Tensor | None = None
    mask: Tensor | None = None


def open_photos(suite: str, limit: int = 0, crop: int = 0, data: str = "") -> list[Photo]:
    """Photos of a data set with pairs, of `synthetic` or of `scenes`.

    Args:
        suite: Its name.
        limit: So many, spread evenly; 0: all.
        crop: The middle square of so many pixels; 0: all of it (synthetic ones then have 256).
        data: Folder of the data sets; empty: as the environment says.

    Raises:
        UsageError: No such data set.
        DataError: It is not there.
    """
    if suite == "synthetic":
        return synthetic_photos(limit, crop or _SIDE, data=data)
    if suite == "scenes":
        return scenes(limit, crop or _SIDE, data=data)
    pairs = open_dataset(suite, Path(data) if data else None)
    photos: list[Photo] = []
    for place in _evenly(len(pairs), limit):
        pair = pairs[place]
        blurry, sharp = (_middle(luma_skimage(image), crop) for image in (pair.blurry, pair.sharp))
        photos.append(_photo(pair.name, blurry, sharp, pair.light, kernel=pair.kernel))
    return photos


def synthetic_photos(limit: int, crop: int, *, noise: float = NOISE, split: str = "val", data: str = "") -> list[Photo]:
    """Crops of BSDS500, each with a random camera shake of its own, the same everywhere in it; 8 bits.

    Args:
        limit: So many, spread evenly over the part; 0: all.
        crop: Their side in pixels.
        noise: Standard deviation; shake and crop do not depend on it.
        split: Part of BSDS500.
        data: Folder of the data sets; empty: as the environment says.

    Raises:
        DataError: BSDS500 is not there.
    """
    sensor = Sensor(noise_sigma=noise)
    synthesis = Synthesis(ShakeBlur(kernel_size=_KERNEL), sensor, light="encoded", size=crop)
    return [
        _photo(pair.name, pair.blurry, pair.sharp, "encoded", kernel=pair.kernel)
        for name, photo in _bsds(split, limit, data)
        for pair in [make_pair(photo, synthesis, seed_for(_SEED, name), name).pair]
    ]


def scenes(limit: int, crop: int, *, data: str = "") -> list[Photo]:
    """Crops of BSDS500 in two layers: one shake for the background, another for a thing with a soft outline before it.

    The thing's light and its outline are blurred together, and it hides the background for as long as it is there.

    Args:
        limit: So many, spread evenly over the validation part; 0: all.
        crop: Their side in pixels.
        data: Folder of the data sets; empty: as the environment says.

    Raises:
        DataError: BSDS500 is not there.
    """
    return [_scene(name, photo, crop) for name, photo in _bsds("val", limit, data)]


def _scene(name: str, photo: Tensor, crop: int) -> Photo:
    generator = torch.Generator().manual_seed(seed_for(_SEED, name))
    margin = _KERNEL // 2
    sharp = _middle(photo, crop + 2 * margin)
    behind, before = (sample_motion_kernel(_KERNEL, generator) for _ in range(2))
    [thing] = random_blobs((sharp.shape[-2], sharp.shape[-1]), 1, generator)
    mask = convolve(thing[None, None].float(), gaussian_kernel(_SOFTNESS), "replicate")
    covered = convolve(mask, before, "valid")
    blurred = convolve(mask * sharp, before, "valid") + (1 - covered) * convolve(sharp, behind, "valid")
    inside = (..., slice(margin, margin + crop), slice(margin, margin + crop))
    synthesis = Synthesis(ShakeBlur(kernel_size=_KERNEL), Sensor(noise_sigma=NOISE), light="encoded")
    return _photo(name, *simulate_camera(blurred, sharp[inside], synthesis, generator), "encoded", mask=mask[inside])


def _bsds(split: str, limit: int, data: str) -> list[tuple[str, Tensor]]:
    photos = bsds500(find_root(Path(data) if data else None), split)
    return [(photos.paths[place].stem, luma_skimage(photos[place])) for place in _evenly(len(photos), limit)]


def _evenly(count: int, limit: int) -> list[int]:
    taken = min(limit or count, count)
    return [number * count // taken for number in range(taken)]


def _photo(
    name: str,
    blurry: Tensor,
    sharp: Tensor,
    light: Encoding,
    *,
    kernel: Tensor | None = None,
    mask: Tensor | None = None,
) -> Photo:
    return Photo(name, blurry, sharp, light, float(score(blurry, sharp, "shift").psnr), kernel, mask)


def _middle(image: Tensor, side: int) -> Tensor:
    if side == 0:
        return image
    top, left = (max(0, (length - side) // 2) for length in image.shape[-2:])
    return image[..., top : top + side, left : left + side]
