"""What was found, in the words of photographers: from a kernel to "camera shake of about 17 px"."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.kernels import kernel_axes

__all__ = ["describe_kernel"]

_SLIM = 0.16
"""Spread across over spread along, up to which a kernel is a straight line."""
_ROUND = 0.75
"""The same, from which it is round."""
_LIGHT = 0.95
"""Share of the light that the extent holds: single faint pixels do not count."""


def describe_kernel(kernel: Float[Tensor, "1 1 k k"]) -> str:
    """The kind of blur and its extent in pixels.

    A line of even light has a spread (standard deviation) of its length over the root of 12, a disk one of half its
    radius; both are read off the kernel's second moments.
    """
    narrow, wide, _ = kernel_axes(kernel)
    ratio = narrow / max(wide, 1e-6)
    if wide < 0.6:
        return "hardly any blur"
    if ratio <= _SLIM or narrow < 0.45:
        return f"straight motion of about {_round(wide * 12**0.5)} px"
    if ratio >= _ROUND and _is_compact(kernel, narrow, wide):
        return f"out of focus, about {_round(4 * wide)} px across"
    return f"camera shake of about {_extent(kernel)} px"


def _is_compact(kernel: Tensor, narrow: float, wide: float) -> bool:
    """Whether the light fills the middle, as behind a lens, and does not run along a path."""
    effective = float(1 / (kernel / kernel.sum()).square().sum())
    # A disk of radius r has the spread r / 2 and the area pi r^2; a path covers far less.
    return effective > 0.6 * 4 * torch.pi * narrow * wide


def _extent(kernel: Tensor) -> int:
    """Larger side of the box around the brightest pixels that hold most of the light."""
    values, order = kernel[0, 0].flatten().sort(descending=True)
    kept = order[: int((values.cumsum(0) < _LIGHT * values.sum()).sum()) + 1]
    rows, columns = kept // kernel.shape[-1], kept % kernel.shape[-1]
    return max(int(places.max() - places.min()) + 1 for places in (rows, columns))


def _round(pixels: float) -> int:
    return max(2, round(pixels))
