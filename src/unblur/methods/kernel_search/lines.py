"""Straight motion fitted to a kernel that a search found with ragged edges."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from unblur.blur.kernels import kernel_axes, linear_kernel

__all__ = ["fit_line"]

_SLENDER = 0.75
"""Spread across over spread along, up to which a kernel may be a line."""
_LINE_EXCESS = 0.25


def fit_line(kernel: Float[Tensor, "1 1 k k"]) -> Float[Tensor, "1 1 n n"] | None:
    """The straight motion with the kernel's direction and spread; None: it is about as broad as long.

    A line of even light over L pixels has the variance L^2 / 12.
    """
    axes = kernel_axes(kernel)
    if axes.across > _SLENDER * axes.along:
        return None
    length = max(12 * axes.along**2 - 1, 0) ** 0.5 + _LINE_EXCESS
    return linear_kernel(max(length, 1.0), axes.angle)
