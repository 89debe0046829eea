"""Straight motion, defocus and Gaussian blur fitted to a kernel that a search found with ragged edges.

Each family has one or two numbers, so its member is exact where the search's kernel is noisy.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from unblur.blur.kernels import disk_kernel, gaussian_kernel, kernel_axes, linear_kernel

__all__ = ["fit_disk", "fit_gaussians", "fit_line"]

_SLENDER, _ROUND = 0.75, 0.65
"""Spread across over spread along, up to which a kernel may be a line, and from which on it may be round."""
_LINE_EXCESS = 0.25
_GAUSSIAN_EXCESS = (1.1, 1.2, 1.3)
"""Spread of the blur over that of the kernel found: the search drops the faint rim of a Gaussian, or most of it."""
_SOFT_RIM = 0.12
"""What the rim of a disk that ends between pixels adds to its variance, square pixels."""

Kernel = Float[Tensor, "1 1 k k"]


def fit_line(kernel: Kernel) -> Float[Tensor, "1 1 n n"] | None:
    """The straight motion with the kernel's direction and spread; None: it is about as broad as long.

    A line of even light over L pixels has the variance L^2 / 12.
    """
    axes = kernel_axes(kernel)
    if axes.across > _SLENDER * axes.along:
        return None
    length = max(12 * axes.along**2 - 1, 0) ** 0.5 + _LINE_EXCESS
    return linear_kernel(max(length, 1.0), axes.angle)


def fit_disk(kernel: Kernel) -> Float[Tensor, "1 1 n n"] | None:
    """The disk with the kernel's spread; None: the kernel is not round.

    A disk of the radius R has the variance R^2 / 4 along every axis.
    """
    spread = _spread_of_round(kernel)
    return None if spread is None else disk_kernel(2 * max(spread**2 - _SOFT_RIM, 0) ** 0.5)


def fit_gaussians(kernel: Kernel) -> list[Float[Tensor, "1 1 n n"]]:
    """Gaussians whose search may have ended with this kernel; none: it is not round."""
    spread = _spread_of_round(kernel)
    return [] if spread is None else [gaussian_kernel(excess * spread) for excess in _GAUSSIAN_EXCESS]


def _spread_of_round(kernel: Kernel) -> float | None:
    """Standard deviation along any axis, pixels; None: the kernel is slender, or of one pixel."""
    axes = kernel_axes(kernel)
    spread = (axes.across * axes.along) ** 0.5
    return spread if axes.across > _ROUND * axes.along and spread > 0 else None
