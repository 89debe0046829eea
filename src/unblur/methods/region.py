"""The part of a photo that is most informative about its blur."""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.images.large import Image
from unblur.images.neighbourhoods import largest_around
from unblur.methods.options import Region

__all__ = ["InformativeParts", "crop_informative", "crop_region", "find_informative"]

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
    return InformativeParts(grey).crop(pixels, smallest_side)


def find_informative(grey: Image, pixels: int, smallest_side: int) -> tuple[int, int, int, int]:
    """Where `crop_informative` cuts: top, left, height, width."""
    return InformativeParts(grey).find(pixels, smallest_side)


class InformativeParts:
    """The most informative parts of one photo, of several sizes; its edges are found once.

    Args:
        grey: In [0, 1].
    """

    def __init__(self, grey: Image) -> None:
        self._grey = grey
        # A large photo is averaged in blocks, which is enough to find the best part.
        self._block = max(1, round((grey.numel() / _ENOUGH) ** 0.5))

    def crop(self, pixels: int, smallest_side: int) -> Float[Tensor, "1 1 ch cw"]:
        """See `crop_informative`."""
        top, left, rows, columns = self.find(pixels, smallest_side)
        return self._grey[..., top : top + rows, left : left + columns]

    def find(self, pixels: int, smallest_side: int) -> tuple[int, int, int, int]:
        """See `find_informative`."""
        height, width = self._grey.shape[-2:]
        if height * width <= pixels:
            return 0, 0, height, width
        scale = (pixels / (height * width)) ** 0.5
        rows = min(height, max(round(height * scale), smallest_side))
        columns = min(width, max(round(width * scale), smallest_side))
        return *self._best_corner(rows, columns), rows, columns

    def _best_corner(self, rows: int, columns: int) -> tuple[int, int]:
        """Top left corner of the best window."""
        sums, block = self._edge_sums, self._block
        window = [
            max(1, min(side // block, had - 1)) for side, had in zip((rows, columns), sums.shape[-2:], strict=True)
        ]
        top, left = _best_corner(sums, *window)
        return min(top * block, self._grey.shape[-2] - rows), min(left * block, self._grey.shape[-1] - columns)

    @cached_property
    def _edge_sums(self) -> Tensor:
        """Sums of usable edges above and to the left of each pixel."""
        edges = _usable_edges(_averaged(self._grey, self._block))
        return F.pad(edges.double().cumsum(-1).cumsum(-2), (1, 0, 1, 0))


def _averaged(grey: Image, block: int) -> Tensor:
    if isinstance(grey, Tensor):
        return grey if block == 1 else F.avg_pool2d(grey, block)
    strips = (strip for strip in grey.strips(multiple=block) if strip.shape[2] >= block)
    return torch.cat([F.avg_pool2d(strip, block) for strip in strips], 2)


def _usable_edges(grey: Tensor) -> Tensor:
    """Capped gradients, none where the photo is clipped, since light was lost there."""
    right = F.pad(grey[..., :, 1:] - grey[..., :, :-1], (0, 1))
    down = F.pad(grey[..., 1:, :] - grey[..., :-1, :], (0, 0, 0, 1))
    clipped = largest_around((grey >= _CLIPPED).to(grey.dtype), 5)
    return torch.hypot(right, down).clamp_max(_CAP) * (1 - clipped)


def _best_corner(total: Tensor, rows: int, columns: int) -> tuple[int, int]:
    """Top left corner of the window of largest sum, on a grid of a sixteenth of the window."""
    down, right = max(1, rows // 16), max(1, columns // 16)
    above, left = slice(0, total.shape[-2] - rows, down), slice(0, total.shape[-1] - columns, right)
    below, beyond = slice(rows, None, down), slice(columns, None, right)
    sums = total[..., below, beyond] - total[..., above, beyond] - total[..., below, left] + total[..., above, left]
    best = int(sums.flatten().argmax())
    return best // sums.shape[-1] * down, best % sums.shape[-1] * right
