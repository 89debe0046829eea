"""Alignment of answers that may lie far from the truth: the protocol `wide-shift`.

A blind method finds image and kernel only up to a shift, which for a large kernel is many pixels. The whole-pixel shift
is found by phase correlation, then `shift` does the rest; no shift is tried as well.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.phase_correlation import find_shift
from unblur.metrics.aligned_pair import AlignedPair
from unblur.metrics.shift import BORDER, align_by_shift

__all__ = ["align_by_wide_shift"]

_REACH = 40
"""Largest shift in pixels: half the extent of the largest kernels that are looked for."""
_SMALLEST = 4 * (_REACH + BORDER)
"""Smaller images have no room for it: they are aligned by `shift` alone."""


def align_by_wide_shift(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> AlignedPair:
    """The restored image moved to where it is closest to the truth; shifts of up to 40 pixels along each axis.

    Both lose what the shift moves out of the frame, and 15 pixels of border.
    """
    best = align_by_shift(restored, sharp)
    if min(sharp.shape[-2:]) < _SMALLEST or len(sharp) > 1:
        return best
    right, down = find_shift(restored.double(), sharp.double(), (_REACH, _REACH))
    if max(abs(right), abs(down)) == 0:
        return best
    there = align_by_shift(_inside(restored, right, down), _inside(sharp, -right, -down))
    if _error(there) >= _error(best):
        return best
    return there._replace(shift=there.shift + torch.tensor([[right, down]], dtype=torch.float64))


def _inside(image: Tensor, right: int, down: int) -> Tensor:
    """The part of the image that stays in the frame when it is moved back by that shift."""
    height, width = image.shape[-2:]
    return image[..., max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)]


def _error(pair: AlignedPair) -> float:
    return float((pair.restored - pair.sharp).square().mean())
