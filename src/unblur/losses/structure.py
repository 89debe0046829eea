"""Terms that look at how neighbouring pixels go together: structural similarity and total variation."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from unblur.metrics.ssim import ssim_gaussian_padded

__all__ = ["structural_difference", "total_variation"]


def structural_difference(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """1 - SSIM for images in [0, 1]: Gaussian 11x11 window at every pixel, nothing beyond the border."""
    return 1 - ssim_gaussian_padded(restored, sharp, data_range=1.0, border="zeros")


def total_variation(image: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Mean size of the differences to the right plus that of the differences downwards (anisotropic).

    0 along a side of one pixel, which has no differences.
    """
    sizes = (image.diff(dim=axis).abs() for axis in (-2, -1))
    means = [size.mean((1, 2, 3)) if size.numel() else size.new_zeros(len(image)) for size in sizes]
    return means[0] + means[1]
