"""Straight motion, defocus and Gaussian blur fitted to a kernel that a search found with ragged edges.

Each family has one or two numbers, so its member is exact where the search's kernel is noisy.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from unblur.blur.kernels import disk_kernel, gaussian_kernel, kernel_axes, linear_kernel

__all__ = ["BROADEST_LINE", "fit_disk", "fit_gaussians", "fit_line", "length_of_line"]

BROADEST_LINE = 0.75
_ROUND = 0.65
"""Spread across over spread along, up to which a kernel may be a line, and from which on it may be round."""
_LINE_EXCESS = 0.25
_GAUSSIAN_EXCESS = (1.1, 1.2, 1.3)
"""Spread of the blur over that of the kernel found: the search drops the faint rim of a Gaussian, or most of it."""
_SOFT_RIM = 0.12
"""What the rim of a disk that ends between pixels adds to its variance, square pixels."""

Kernel = Float[Tensor, "1 1 k k"]


def fit_line(kernel: Kernel) -> Float[Tensor, "1 1 n n"] | None:
    """The straight motion with the kernel's direction and spread; None: it is about as broad as long."""
    axes = kernel_axes(kernel)
    return None if axes.across > BROADEST_LINE * axes.along else linear_kernel(length_of_line(axes.along), axes.angle)


def length_of_line(spread: float) -> float:
    """Pixels that a straight motion is long whose kernel, found by a search, has this standard deviation along it.

    A line of even light over L pixels has the variance L^2 / 12.
    """
    return max(max(12 * spread**2 - 1, 0) ** 0.5 + _LINE_EXCESS, 1.0)


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
