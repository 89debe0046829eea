"""The part of a photo that is most informative about its blur."""

from __future__ import annotations

from typing import TypeVar

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.images.large import Image
from unblur.images.neighbourhoods import largest_around
from unblur.methods.options import Region

__all__ = ["crop_informative", "crop_region", "find_informative"]

ImageT = TypeVar("ImageT", bound=Image)

_CAP = 0.1
"""A gradient counts at most so much: many edges in many directions are more informative than a single strong one."""
_CLIPPED = 0.99
_ENOUGH = 1_000_000
"""Pixels on which the choice is made."""


def crop_region(grey: ImageT, region: Region | None) -> ImageT | Tensor:
    """The part of the photo that the caller says to look at; None: all of it."""
    if region is None:
        return grey
    x, y, width, height = region
    return grey[..., y : y + height, x : x + width]


def crop_informative(grey: Image, pixels: int, smallest_side: int) -> Float[Tensor, "1 1 ch cw"]:
    """The photo itself if it has no more than `pixels`, else the rectangle of its shape with most usable edges.

    Args:
        grey: In [0, 1].
        pixels: Area of the rectangle.
        smallest_side: Neither side becomes smaller than this, as far as the photo reaches.
    """
    top, left, rows, columns = find_informative(grey, pixels, smallest_side)
    return grey[..., top : top + rows, left : left + columns]


def find_informative(grey: Image, pixels: int, smallest_side: int) -> tuple[int, int, int, int]:
    """Where `crop_informative` cuts: top, left, height, width."""
    height, width = grey.shape[-2:]
    if height * width <= pixels:
        return 0, 0, height, width
    scale = (pixels / (height * width)) ** 0.5
    rows = min(height, max(round(height * scale), smallest_side))
    columns = min(width, max(round(width * scale), smallest_side))
    return *_find_window(grey, rows, columns), rows, columns


def _find_window(grey: Image, rows: int, columns: int) -> tuple[int, int]:
    """Top left corner of the best window; a large photo is averaged in blocks first, which is enough to find it."""
    block = max(1, round((grey.numel() / _ENOUGH) ** 0.5))
    edges = _usable_edges(_averaged(grey, block))
    window = [max(1, min(side // block, have)) for side, have in zip((rows, columns), edges.shape[-2:], strict=True)]
    top, left = _best_corner(edges, *window)
    return min(top * block, grey.shape[-2] - rows), min(left * block, grey.shape[-1] - columns)


def _averaged(grey: Image, block: int) -> Tensor:
    if isinstance(grey, Tensor):
        return F.avg_pool2d(grey, block)
    strips = (strip for strip in grey.strips(multiple=block) if strip.shape[2] >= block)
    return torch.cat([F.avg_pool2d(strip, block) for strip in strips], 2)


def _usable_edges(grey: Tensor) -> Tensor:
    """Capped gradients, none where the photo is clipped, since light was lost there."""
    right = F.pad(grey[..., :, 1:] - grey[..., :, :-1], (0, 1))
    down = F.pad(grey[..., 1:, :] - grey[..., :-1, :], (0, 0, 0, 1))
    clipped = largest_around((grey >= _CLIPPED).to(grey.dtype), 5)
    return torch.hypot(right, down).clamp_max(_CAP) * (1 - clipped)


def _best_corner(value: Tensor, rows: int, columns: int) -> tuple[int, int]:
    """Top left corner of the window of largest sum, on a grid of a sixteenth of the window."""
    total = F.pad(value.double().cumsum(-1).cumsum(-2), (1, 0, 1, 0))
    steps = max(1, rows // 16), max(1, columns // 16)
    sums = (
        total[..., rows::1, columns::1]
        - total[..., : total.shape[-2] - rows, columns:]
        - total[..., rows:, : total.shape[-1] - columns]
        + total[..., : total.shape[-2] - rows, : total.shape[-1] - columns]
    )[..., :: steps[0], :: steps[1]]
    best = int(sums.flatten().argmax())
    return best // sums.shape[-1] * steps[0], best % sums.shape[-1] * steps[1]
