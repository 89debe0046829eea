"""The share of its size at which a network restores a photo best.

A network removes blur of the extents that it has learned. Larger blur becomes such blur when the photo is shrunk, and
what the network changes in the small photo can be added to the large one. Blur of other extents it leaves nearly as it
is. So it is run on a part of the photo at several sizes; where details get most of their contrast back, the size is
right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.blur.borders import crop_padding, pad_to_multiple
from unblur.images.large import Image
from unblur.images.tensors import brightness
from unblur.losses.smoothness import total_variation
from unblur.methods.base import StepHook, ignore_step, steps_of_part
from unblur.methods.region import find_informative
from unblur.methods.transforms import resample

__all__ = ["Restore", "choose_scale"]

Restore = Callable[[Tensor, StepHook], Tensor]
"""A network: images `(B, C, H, W)` in [0, 1] in, restored images of that shape out."""

_FINER, _COARSEST = (1.0, 0.5), 0.25
_SIDE = 256
"""Of the square that is restored at all scales, in pixels of the finest; smaller photos keep their size."""
_MARGIN = 32
"""Pixels at the border of the square that are not compared, since the network does not see what is beyond it."""
_SEARCHED = 320 * 320
"""Pixels of the coarsest scale among which the square is chosen."""
_ENOUGH = 0.7
"""Share of the largest rise that a finer scale needs, which is better where both are right: it restores finer detail.
From 0.6 to 0.75 the frames get the same scales."""
_SMALLEST_RISE = 0.1
"""Below it the network has found no blur, and chance would decide."""
_LEAST = 1e-6
"""Total variation of a plain square, so that nothing is divided by zero."""
_WORK = 0.2
"""Share of the work on a photo, for progress."""


@torch.no_grad()
def choose_scale(
    blurry: Image,
    restore: Restore,
    *,
    largest: int,
    multiple: int = 1,
    on_step: StepHook = ignore_step,
) -> float:
    """1, 1/2 or 1/4: the finest scale at which details get about as much contrast back as at any other.

    Measured is the rise of the total variation, as a share of that of the blurry image at the same scale, in the square
    where the network changes most at the coarsest scale. A photo of more than `largest` pixels is first shrunk to so
    many, and the scales are shares of that size. The choice has no gradient.

    The constants were chosen with MAXIM, on eight pairs of averaged frames and 43 blurred photos: docs/backbones.md.

    Args:
        blurry: `(B, C, H, W)`, sRGB-encoded, in [0, 1]; photos of a batch get one scale.
        restore: The network.
        largest: Pixels of the largest photo to restore.
        multiple: What the sides of the network's images must be multiples of.
        on_step: Progress, as the beginning of the work on the photo, and cancel.
    """
    finest = min(1.0, math.sqrt(largest / (blurry.shape[-2] * blurry.shape[-1])))
    photo = _scaled(blurry, finest)
    if min(photo.shape[-2:]) < _SIDE:
        return finest

    def run(image: Tensor, number: int) -> Tensor:
        padded, padding = pad_to_multiple(image, multiple)
        return crop_padding(restore(padded, _choosing(on_step, number)), padding)

    part, (top, left) = _informative(_scaled(photo, _COARSEST))
    answer = run(part, 0)
    down, right = _most_changed(answer - part)
    before, after = (_square(image, (down, right), _COARSEST) for image in (part, answer))
    rises = {_COARSEST: _rise(before, after, _COARSEST)}
    square = _square(photo, (top + down, left + right), 1.0)
    for number, scale in enumerate(_FINER, start=1):
        before = _scaled(square, scale)
        rises[scale] = _rise(before, run(before, number), scale)
    return finest * _finest_of_most(rises)


def _choosing(on_step: StepHook, number: int) -> StepHook:
    """A hook for one of the runs."""
    report = steps_of_part(on_step, number, 1 + len(_FINER), phase=(0.0, _WORK))
    return lambda step: report(replace(step, stage="choosing the size", show=None))


def _scaled(image: Any, scale: float) -> Any:
    height, width = (max(1, round(side * scale)) for side in image.shape[-2:])
    return image if scale == 1 else resample(image, (height, width))


def _informative(small: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """The part of a photo at the coarsest scale that is searched, and its top left corner."""
    grey = brightness(small).mean(0, keepdim=True)
    top, left, rows, columns = find_informative(grey, _SEARCHED, round(_SIDE * _COARSEST))
    return small[..., top : top + rows, left : left + columns], (top, left)


def _most_changed(change: Tensor) -> tuple[int, int]:
    """Top left corner of the square of largest energy, in pixels of the coarsest scale."""
    side = round(_SIDE * _COARSEST)
    energies = F.avg_pool2d(brightness(change).square().mean(0), side, 1)[0]
    top, left = divmod(int(energies.argmax()), energies.shape[-1])
    return top, left


def _square(image: Tensor, corner: tuple[int, int], scale: float) -> Tensor:
    """The square whose corner is given in pixels of the coarsest scale, out of an image at any scale."""
    side = round(_SIDE * scale)
    places = (round(place * scale / _COARSEST) for place in corner)
    top, left = (min(place, have - side) for place, have in zip(places, image.shape[-2:], strict=True))
    return image[..., top : top + side, left : left + side]


def _rise(before: Tensor, after: Tensor, scale: float) -> float:
    """Of the total variation, as a share of what it was."""
    margin = round(_MARGIN * scale)
    was, became = (
        total_variation(brightness(image)[..., margin:-margin, margin:-margin]).mean() for image in (before, after)
    )
    return float(became / was.clamp(min=_LEAST)) - 1


def _finest_of_most(rises: Mapping[float, float]) -> float:
    """The finest scale at which the rise is nearly the largest; of rises that say nothing the finest scale of all."""
    largest = max(rises.values())
    needed = _ENOUGH * largest if largest >= _SMALLEST_RISE else -math.inf
    return max((scale for scale, rise in rises.items() if rise >= needed), default=max(rises))
