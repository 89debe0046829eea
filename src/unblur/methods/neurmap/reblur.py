"""The reblurring module R: a sharp image is moved along a motion map and averaged over the exposure."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from unblur.errors import ShapeError
from unblur.methods.neurmap.motion import REACH

__all__ = ["MOMENTS", "FixedReblur", "Outside", "offset_shares", "reblur"]

Outside = Literal["black", "border"]
"""What an image shows beyond its border: nothing, or its outermost pixels again."""
MOMENTS = 15
"""Frames that an exposure is averaged from."""
_BANDS = 16
"""Of so many an image is made for threads to share, if its height allows; their number must not change an answer."""


def reblur(
    sharp: Float[Tensor, "b c h w"], motion: Float[Tensor, "b 2 h w"], *, outside: Outside = "black"
) -> Float[Tensor, "b c h w"]:
    """The mean of 15 frames, in each of which every pixel looks at another place of its own straight line (Eq. 3).

    Places between pixels are interpolated bilinearly. Both arguments get gradients. Computed in float32 or better: in
    bfloat16, pixel 200 has no next pixel to look at.

    Args:
        sharp: As stored; the published networks blur stored values, not light.
        motion: (down, right); 1 is 20 pixels to each side.
        outside: What lies outside the image; training sees black there, as the released code does.

    Raises:
        ShapeError: Image and map differ in batch, height or width.
    """
    if sharp.shape[0] != motion.shape[0] or sharp.shape[2:] != motion.shape[2:]:
        raise ShapeError(
            "expected an image and a motion map of one batch, height and width, "
            f"got {tuple(sharp.shape)} and {tuple(motion.shape)}"
        )
    precise = torch.promote_types(torch.promote_types(sharp.dtype, motion.dtype), torch.float32)
    sharp, motion = sharp.to(precise), motion.to(precise)
    total = torch.zeros_like(sharp)
    for share in offset_shares():
        total = total + _look_along(sharp, _places(motion, share), outside)
    return total / MOMENTS


class FixedReblur:
    """`reblur` of one image along one motion again and again, such as in descent: places are computed once.

    Gradients are approximate: a straight line is symmetric about its pixel, so where the motion changes slowly a blur
    along it is its own adjoint. That takes a third of the time of the exact one, in which every pixel is spread.

    Args:
        motion: Gets no gradient.
        moments: Frames of the exposure, at least 2.
    """

    def __init__(self, motion: Float[Tensor, "1 2 h w"], moments: int = MOMENTS) -> None:
        motion = motion.to(torch.promote_types(motion.dtype, torch.float32))
        # Threads of grid_sample get images of a batch each, so one image is a batch of bands.
        bands = math.gcd(motion.shape[2], _BANDS)
        self._places = [_places(motion, share).unflatten(1, (bands, -1)).squeeze(0) for share in offset_shares(moments)]

    def __call__(self, sharp: Float[Tensor, "1 c h w"], *, outside: Outside = "black") -> Float[Tensor, "1 c h w"]:
        """See `reblur`."""
        return _OwnAdjoint.apply(sharp, partial(self._blur, outside=outside))

    def _blur(self, image: Tensor, outside: Outside) -> Tensor:
        first, *others = self._places
        bands = image.to(first.dtype).expand(len(first), -1, -1, -1)
        total = _look_along(bands, first, outside)
        for places in others:
            total += _look_along(bands, places, outside)
        return total.transpose(0, 1).flatten(1, 2)[None] / len(self._places)


class _OwnAdjoint(torch.autograd.Function):
    """A linear operation whose gradient is taken to be the operation itself."""

    @staticmethod
    @override
    def forward(ctx: Any, image: Tensor, operation: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.operation = operation
        return operation(image)

    @staticmethod
    @override
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None]:
        return ctx.operation(slopes[0]), None


def offset_shares(moments: int = MOMENTS) -> list[float]:
    """Where on the line each frame looks, from one end, 1, through 0 to the other, -1."""
    middle = (moments - 1) / 2
    return [(middle - number) / middle for number in range(moments)]


def _places(motion: Tensor, share: float) -> Tensor:
    """Where each pixel looks, as `grid_sample` counts: from -1 in the middle of the first pixel to 1 in the last's."""
    height, width = motion.shape[-2:]
    rows, columns = (torch.arange(side, dtype=motion.dtype, device=motion.device) for side in (height, width))
    down, right = REACH * share * motion[:, 0], REACH * share * motion[:, 1]
    x = (columns + right) * (2 / max(width - 1, 1)) - 1
    y = (rows[:, None] + down) * (2 / max(height - 1, 1)) - 1
    return torch.stack((x, y), 3)


def _look_along(image: Tensor, places: Tensor, outside: Outside) -> Tensor:
    padding = "zeros" if outside == "black" else "border"
    return functional.grid_sample(image, places, padding_mode=padding, align_corners=True)
