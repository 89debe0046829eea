"""Blur that varies over the image: random motion fields, and blurring by any motion field.

A motion field `(B, 2, H, W)` is how far each pixel moves, (right, down) in pixels over the exposure. It is centred: the
light of a pixel comes from a straight line of which the pixel is the middle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.borders import extend
from unblur.errors import ShapeError

__all__ = [
    "MILD_MOTION",
    "STRONG_MOTION",
    "MotionLimits",
    "blur_by_motion_field",
    "largest_reach",
    "right_half",
    "sample_motion_field",
]

_STRIP_PIXELS = 1 << 15
"""Pixels worked on at a time: few enough for the processor's cache."""


@dataclass(frozen=True)
class MotionLimits:
    """How large the random parts of a motion field may be; each is drawn evenly between plus and minus its limit.

    Attributes:
        shift: Motion common to all pixels, right and down, in pixels.
        ramp: Relative change of that motion from one border to the other.
        swirl: Strength of the part that turns round the centre and grows with the 1.5th power of the distance.
        radial: Strength of the part that points away from the centre, as an angle in radians.
        centre: Distance of the centre from the image's middle, along each axis, in pixels.
    """

    shift: float = 27.0
    ramp: float = 0.3
    swirl: float = 5e-3
    radial: float = math.pi / 70
    centre: float = 15.0


STRONG_MOTION = MotionLimits()
MILD_MOTION = MotionLimits(shift=19.0, ramp=0.25, swirl=2e-3, radial=math.pi / 120, centre=5.0)


def sample_motion_field(
    size: tuple[int, int], generator: torch.Generator, limits: MotionLimits = STRONG_MOTION
) -> Float[Tensor, "1 2 h w"]:
    """A random motion field: shift with a ramp, plus a swirl and a zoom about a centre; whole pixels.

    The generator of Gong et al., "From motion blur to motion flow", CVPR 2017, as its public code computes it. There
    the part that is called rotation points away from the centre and the part that is called zoom turns round it,
    because rows are counted upwards in one place and downwards in another; the fields are the same here.

    Args:
        size: (height, width) of the image.
        generator: Draws the eight numbers of the field; on the CPU.
        limits: See `MotionLimits`.

    Returns:
        (right, down) in pixels over the exposure.
    """
    height, width = size
    draws = (2 * torch.rand(8, generator=generator, dtype=torch.float64) - 1).tolist()
    shift_right, shift_down = (limits.shift * draw for draw in draws[:2])
    ramp_right, ramp_down = (limits.ramp * draw for draw in draws[2:4])
    swirl, radial = limits.swirl * draws[4], math.tan(limits.radial * draws[5])
    centre_x, centre_y = width / 2 + limits.centre * draws[6], height / 2 + limits.centre * draws[7]
    # Columns and rows count from 1, and `upward` from the lowest row, as in that code.
    x = torch.arange(1, width + 1, dtype=torch.float64)[None, :]
    upward = height + 1 - torch.arange(1, height + 1, dtype=torch.float64)[:, None]
    from_centre_x, from_centre_y = x - centre_x, upward - centre_y
    distance = torch.hypot(x - centre_x, (height + 1 - upward) - centre_y)
    angle = torch.atan2(from_centre_y, from_centre_x)
    zoom, turn = radial * distance, swirl * distance**1.5
    right = shift_right * (1 - ramp_right / 2 + ramp_right * x / width) - zoom * angle.cos() + turn * angle.sin()
    down = shift_down * (1 - ramp_down / 2 + ramp_down * upward / height) + zoom * angle.sin() + turn * angle.cos()
    return torch.stack([right, down]).round()[None].float()


def right_half(motion_field: Float[Tensor, "b 2 h w"]) -> Float[Tensor, "b 2 h w"]:
    """The same blur with no motion to the left: a line has two directions, and this picks one."""
    return torch.where(motion_field[:, :1] < 0, -motion_field, motion_field)


def largest_reach(motion_field: Float[Tensor, "b 2 h w"]) -> tuple[int, int]:
    """(rows, columns) from each border within which the blur may reach outside the image."""
    right, down = motion_field.abs().amax((0, 2, 3)).tolist()
    return int(down // 2), int(right // 2)


def blur_by_motion_field(
    image: Float[Tensor, "b c h w"], motion_field: Float[Tensor, "b 2 h w"]
) -> Float[Tensor, "b c h w"]:
    """Each pixel as the mean along its own straight line, exactly: the line's anti-aliased kernel, pixel by pixel.

    The kernel at a pixel is `linear_kernel` of the motion's length there: a tap at distance d from the segment of
    `length - 1` weighs `max(0, 1 - d)`, normalised. Outside the image the border is repeated.

    Args:
        image: Linear light for physical blur.
        motion_field: Whole or fractional pixels.

    Raises:
        ShapeError: Image and field differ in batch, height or width.
    """
    if image.shape[0] != motion_field.shape[0] or image.shape[2:] != motion_field.shape[2:]:
        raise ShapeError(
            "expected an image and a motion field of one batch, height and width, "
            f"got {tuple(image.shape)} and {tuple(motion_field.shape)}"
        )
    pairs = zip(image, motion_field, strict=True)
    return torch.stack([_blur_one(picture, field.to(picture.dtype)) for picture, field in pairs])


def _blur_one(image: Tensor, field: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    margin = math.ceil(float(field.abs().max()) / 2) + 2
    source = extend(image[None], (margin, margin), "replicate")[0].flatten(1)
    rows = max(1, _STRIP_PIXELS // width)
    strips = [
        _blur_strip(source, field[:, top : top + rows], width + 2 * margin, (top + margin, margin))
        for top in range(0, height, rows)
    ]
    return torch.cat(strips, dim=1)


def _blur_strip(source: Tensor, field: Tensor, stride: int, origin: tuple[int, int]) -> Tensor:
    """Blur some rows.

    Walks along the longer axis of each pixel's line; on either side of the line, no tap further than one pixel from it
    has weight, so the three nearest across are all there are.

    Args:
        source: The extended image, `(C, pixels)`.
        field: `(2, h, w)` of these rows.
        stride: Pixels in a row of `source`.
        origin: (row, column) in `source` of the first pixel.
    """
    right, down = field
    length = torch.hypot(right, down)
    half = ((length - 1) / 2).clamp_min(0)
    moves = length > 0
    along_x = torch.where(moves, right / length.clamp_min(1e-6), 1.0)
    along_y = torch.where(moves, down / length.clamp_min(1e-6), 0.0)
    is_wide = along_x.abs() >= along_y.abs()
    major = torch.where(is_wide, along_x, along_y)
    minor = torch.where(is_wide, along_y, along_x)
    step_major = torch.where(is_wide, 1, stride)
    step_minor = torch.where(is_wide, stride, 1)
    rows = torch.arange(field.shape[1], device=field.device)[:, None] + origin[0]
    place = rows * stride + torch.arange(field.shape[2], device=field.device) + origin[1]
    total, weights = torch.zeros_like(source[:, : place.numel()]), torch.zeros_like(length)
    reach = math.ceil(float((half * major.abs()).max())) + 1
    for ahead in range(-reach, reach + 1):
        nearest = (ahead * minor / major).round()
        for aside in (-1, 0, 1):
            across = nearest + aside
            nearest_on_line = (ahead * major + across * minor).clamp(-half, half)
            off_major, off_minor = ahead - nearest_on_line * major, across - nearest_on_line * minor
            weight = (1 - torch.hypot(off_major, off_minor)).clamp_min(0)
            tap = place + ahead * step_major + across.long() * step_minor
            # a tap without weight may lie outside the extended image
            tap = torch.where(weight > 0, tap, place)
            total += weight.flatten() * source[:, tap.flatten()]
            weights += weight
    return (total / weights.flatten()).view(-1, *length.shape)
