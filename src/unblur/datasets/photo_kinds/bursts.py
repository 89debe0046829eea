"""Bursts: one scene taken several times by a shaking hand, each time along another path."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from unblur.datasets.photo_kinds.blurs import uniform
from unblur.datasets.photo_kinds.kinds import MadePhoto, PhotoKind, make_photo
from unblur.datasets.synthesis import seed_for

__all__ = ["make_burst"]


def make_burst(photo: Tensor, kind: PhotoKind, seed: int, *, count: int = 3, shift: int = 20) -> list[MadePhoto]:
    """Several photos of one scene, all of one size, each with its own blur, place, noise and JPEG quality.

    Args:
        photo: Sharp, `(1, 3, H, W)` in [0, 1], sRGB-encoded.
        kind: What is made of it each time.
        seed: Seed of everything that is drawn.
        count: Number of photos.
        shift: Largest shift of the first photo and of each other one against the middle of the scene, whole pixels.
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = photo.shape[-2:]
    made: list[MadePhoto] = []
    for number in range(count):
        down, right = (round(uniform(-shift, shift, generator)) for _ in range(2))
        part = photo[..., shift + down : height - shift + down, shift + right : width - shift + right]
        made.append(make_photo(part, kind, seed_for(seed, str(number))))
    rows, columns = (min(one.pair.sharp.shape[axis] for one in made) for axis in (-2, -1))
    return [_cut(one, rows, columns) for one in made]


def _cut(made: MadePhoto, rows: int, columns: int) -> MadePhoto:
    """The middle of a photo, cut at multiples of 8, so that the blocks of a JPEG file stay where files have them."""
    height, width = made.pair.sharp.shape[-2:]
    top, left = ((whole - kept) // 16 * 8 for whole, kept in ((height, rows), (width, columns)))
    blurry, sharp = (
        image[..., top : top + rows, left : left + columns] for image in (made.pair.blurry, made.pair.sharp)
    )
    return replace(made, pair=replace(made.pair, blurry=blurry, sharp=sharp))
