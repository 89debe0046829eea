"""Photos of a burst brought to the exposure and the place of one of them, by whole pixels: kernels hold the rest."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.phase_correlation import find_shift
from unblur.images.tensors import brightness, linear_to_srgb, srgb_to_linear

__all__ = [
    "CLIPPED",
    "STILL",
    "Shift",
    "common_area",
    "cut",
    "estimate_exposure",
    "estimate_shift",
    "match_exposure",
    "move",
]

CLIPPED = 0.98
"""sRGB value from which a pixel of any channel is taken for clipped."""
_FARTHEST = 4
"""The largest shift that is looked for is the side over this number."""
_SPREAD = 5
_BLACK = 1e-3
_SAME = 0.05

Photo = Float[Tensor, "1 c h w"]


class Shift(NamedTuple):
    """By how many pixels the content of a photo lies farther right and farther down than in another one."""

    right: int = 0
    down: int = 0

    def plus(self, other: tuple[int, int]) -> Shift:
        """Both shifts, one after the other."""
        return Shift(self.right + other[0], self.down + other[1])

    def against(self, other: tuple[int, int]) -> Shift:
        """The shift relative to a photo that has itself the shift `other`."""
        return Shift(self.right - other[0], self.down - other[1])


STILL = Shift()


def estimate_shift(photo: Photo, reference: Photo) -> Shift:
    """The shift of a photo's content, up to the extent of the blurs."""
    height, width = reference.shape[-2:]
    reach = height // _FARTHEST, width // _FARTHEST
    return Shift(*find_shift(brightness(photo), brightness(reference), reach, spread=_SPREAD))


def estimate_exposure(photo: Photo, reference: Photo, shift: Shift) -> float:
    """How many times as much light a photo got as the reference, from what both hold and neither has clipped.

    Exactly 1 where the difference is no larger than the estimate's own error.

    Args:
        photo: sRGB-encoded, in [0, 1].
        reference: Of the same size.
        shift: Of the photo's content.
    """
    area = common_area([shift, STILL], (photo.shape[-2], photo.shape[-1]))
    own, other = (cut(one, area, s) for one, s in ((photo, shift), (reference, STILL)))
    usable = (own.amax(1, keepdim=True) < CLIPPED) & (other.amax(1, keepdim=True) < CLIPPED)
    light, wanted = (float((srgb_to_linear(one) * usable).sum()) for one in (own, other))
    exposure = light / wanted if wanted > _BLACK * usable.numel() else 1.0
    return 1.0 if abs(math.log(max(exposure, _BLACK))) < _SAME else exposure


def match_exposure(photo: Photo, exposure: float) -> Photo:
    """The photo as it would be with the light of the reference, sRGB-encoded."""
    if exposure == 1:
        return photo
    return linear_to_srgb((srgb_to_linear(photo) / exposure).clamp(0, 1))


def common_area(shifts: list[Shift], size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns, on the grid of a photo without shift, that photos of these shifts all hold."""
    height, width = size
    rows = slice(max(0, *(-s.down for s in shifts)), height - max(0, *(s.down for s in shifts)))
    columns = slice(max(0, *(-s.right for s in shifts)), width - max(0, *(s.right for s in shifts)))
    return rows, columns


def move(photo: Photo, shift: Shift, background: Photo) -> tuple[Photo, Float[Tensor, "1 1 h w"]]:
    """The photo on the grid of the reference, and where it is known there (1, elsewhere 0).

    Args:
        photo: With the shift.
        shift: Of its content.
        background: What stands where the photo holds nothing.
    """
    rows, columns = common_area([shift, STILL], (photo.shape[-2], photo.shape[-1]))
    moved, known = background.clone(), torch.zeros_like(photo[:, :1])
    moved[..., rows, columns] = cut(photo, (rows, columns), shift)
    known[..., rows, columns] = 1
    return moved, known


def cut(photo: Tensor, area: tuple[slice, slice], shift: Shift) -> Tensor:
    """What a photo of that shift shows of an area of the reference."""
    rows, columns = area
    return photo[
        ...,
        rows.start + shift.down : rows.stop + shift.down,
        columns.start + shift.right : columns.stop + shift.right,
    ]
