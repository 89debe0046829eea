"""The share of its size at which a photo is best restored by a network that was trained on small blur.

A network removes blur of the sizes that it has learned. Larger blur of a larger photo becomes such blur when the photo
is shrunk, and what a network changes in the small photo can be added to the large one.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from unblur.images.tensors import brightness

__all__ = ["choose_scale", "measure_edge_width"]

_FIRST_HALVINGS = 2
"""Before edges are measured: means of 4x4 pixels leave little of the noise."""
_SMALLEST_SIDE = 24
"""Sides in pixels of the last level."""
_DIRECTIONS = 8
_STEEPEST = 0.0005
"""Share of the pixels of the full size that count as edges; it doubles from level to level, as edges are lines."""
_MOST = 0.2
_FAINTEST = 1e-4
_SHARP_WIDTH = 5.0
"""Edges of sharp photos measure 4 to 5 pixels."""


def choose_scale(blurry: Float[Tensor, "b c h w"], largest: int) -> float:
    """1, or 1/2, 1/4, ... by the width of the edges, and no more than leaves a photo of so many pixels.

    Edges of crops of eight Kodak photos measure at the median: sharp 4 pixels; under straight motion of 11, 21, 35 and
    51 pixels 5, 7, 8 and 8; under winding shake of 15, 31 and 55 pixels 6, 6 and 7; under disks of radius 6 and 10
    pixels 6 and 8. From 7.1 on the photo is halved, from 14.1 on halved twice.

    Args:
        blurry: sRGB-encoded, in [0, 1].
        largest: Pixels of the largest photo to restore.
    """
    halvings = max(0, round(math.log2(measure_edge_width(blurry) / _SHARP_WIDTH)))
    return min(0.5**halvings, math.sqrt(largest / blurry[0, 0].numel()), 1.0)


def measure_edge_width(image: Float[Tensor, "b c h w"]) -> float:
    """How wide the steepest edges are, in pixels, along the direction in which they are widest.

    A step is equally steep per pixel at all sizes of a photo; one that blur has spread over w pixels is up to w times
    steeper per pixel where the photo is so small that the blur is below a pixel. Motion blur leaves edges along the
    motion sharp, so slopes are compared direction by direction. Texture is fainter in small photos, and blur that
    is wider than a pixel of the smallest level is not seen in full: large widths come out smaller than they are.

    Args:
        image: sRGB-encoded, in [0, 1]; of a batch the widest counts.

    Returns:
        At least 4, the smallest width that differs from a sharp edge; also where there is no edge or too few pixels.
    """
    slopes: list[Tensor] = []
    halvings, level = _FIRST_HALVINGS, _shrink(brightness(image.detach()), 2**_FIRST_HALVINGS)
    while min(level.shape[-2:]) >= _SMALLEST_SIDE:
        slopes.append(_steepest(level, min(_MOST, _STEEPEST * 2**halvings)))
        halvings, level = halvings + 1, _shrink(level, 2)
    least = 2.0**_FIRST_HALVINGS
    if not slopes:
        return least
    return least * float((torch.stack(slopes).amax(0) / slopes[0].clamp(min=_FAINTEST)).amax().clamp(min=1.0))


def _steepest(image: Float[Tensor, "b 1 h w"], share: float) -> Float[Tensor, "d b"]:
    """In each direction, the slope per pixel that so large a share of the pixels exceeds."""
    right = (image[..., 1:-1, 2:] - image[..., 1:-1, :-2]) / 2
    down = (image[..., 2:, 1:-1] - image[..., :-2, 1:-1]) / 2
    rows: list[Tensor] = []
    for direction in range(_DIRECTIONS):
        angle = math.pi * direction / _DIRECTIONS
        slope = (right * math.cos(angle) + down * math.sin(angle)).abs().flatten(1)
        rows.append(slope.topk(max(1, int(slope.shape[1] * share))).values[:, -1])
    return torch.stack(rows)


def _shrink(image: Tensor, factor: int) -> Tensor:
    """Means of squares; what is left over at the right and below is cut off."""
    return functional.avg_pool2d(image, factor) if min(image.shape[-2:]) >= factor else image[..., :0, :0]
