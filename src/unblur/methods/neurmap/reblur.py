"""The reblurring module R: a sharp image is moved along a motion map and averaged over the exposure."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from unblur.errors import ShapeError
from unblur.methods.neurmap.motion import REACH

__all__ = ["MOMENTS", "Outside", "offset_shares", "reblur"]

Outside = Literal["black", "border"]
"""What an image shows beyond its border: nothing, or its outermost pixels again."""
MOMENTS = 15
"""Frames that an exposure is averaged from."""


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
    height, width = sharp.shape[-2:]
    rows, columns = (torch.arange(side, dtype=motion.dtype, device=motion.device) for side in (height, width))
    total, padding = torch.zeros_like(sharp), "zeros" if outside == "black" else "border"
    for share in offset_shares():
        down, right = REACH * share * motion[:, 0], REACH * share * motion[:, 1]
        # grid_sample counts from -1 in the middle of the first pixel to 1 in the middle of the last.
        x = (columns + right) * (2 / max(width - 1, 1)) - 1
        y = (rows[:, None] + down) * (2 / max(height - 1, 1)) - 1
        total = total + functional.grid_sample(sharp, torch.stack((x, y), 3), padding_mode=padding, align_corners=True)
    return total / MOMENTS


def offset_shares() -> list[float]:
    """Where on the line each frame looks, from one end, 1, through 0 to the other, -1."""
    middle = MOMENTS // 2
    return [(middle - number) / middle for number in range(MOMENTS)]
