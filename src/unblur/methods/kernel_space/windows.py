"""A photo in windows that overlap, and back: each has a blur of its own, so neighbours are blended smoothly."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Window", "blend", "cut"]


class Window(NamedTuple):
    """A rectangle of a photo in pixels."""

    top: int
    left: int
    height: int
    width: int

    def of(self, photo: Tensor) -> Tensor:
        """That part of a photo."""
        return photo[..., self.top : self.top + self.height, self.left : self.left + self.width]


def cut(height: int, width: int, side: int, overlap: int) -> list[Window]:
    """Windows that cover a photo, row by row, as few as there can be and evenly spread.

    Args:
        height: Height of the photo in pixels.
        width: Width of the photo in pixels.
        side: Side of the windows; a photo that is smaller has one that is smaller.
        overlap: Pixels that neighbours share at least; less than `side`.
    """
    rows, columns = _starts(height, side, overlap), _starts(width, side, overlap)
    return [Window(top, left, min(side, height), min(side, width)) for top in rows for left in columns]


def blend(
    photo: Float[Tensor, "b c h w"], windows: list[Window], restore: Callable[[Window], Tensor], overlap: int
) -> Float[Tensor, "b c h w"]:
    """The whole, from what a function makes of each window; half a wave of the cosine leads from one to the next.

    Args:
        photo: Its shape is that of the whole.
        windows: That cover it.
        restore: Called with each window in order.
        overlap: Over which neighbours are blended, at most.
    """
    total, weights = torch.zeros_like(photo), torch.zeros_like(photo[:1, :1])
    for window in windows:
        weight = _fade(window.top, window.height, photo.shape[-2], overlap).outer(
            _fade(window.left, window.width, photo.shape[-1], overlap)
        )
        weight = weight.to(photo)
        window.of(total).add_(weight * restore(window))
        window.of(weights).add_(weight)
    return total / weights


def _starts(size: int, side: int, overlap: int) -> list[int]:
    count = 1 + max(0, math.ceil((size - side) / (side - overlap)))
    return [round(number * (size - side) / (count - 1)) for number in range(count)] if count > 1 else [0]


def _fade(start: int, length: int, size: int, overlap: int) -> Float[Tensor, " n"]:
    """1 inside, falling towards a neighbour; never 0, so that a lone window is itself."""
    ramp = (1 - torch.cos(math.pi * (torch.arange(overlap) + 0.5) / overlap)) / 2
    weights = torch.ones(length)
    if start > 0:
        weights[:overlap] *= ramp[:length]
    if start + length < size:
        weights[-overlap:] *= ramp.flip(0)[-length:]
    return weights
