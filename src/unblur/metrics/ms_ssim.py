"""Multi-scale structural similarity (Wang, Simoncelli, Bovik, Asilomar 2003)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import ShapeError
from unblur.metrics.ssim import shrink_by_box, ssim_terms_gaussian_valid

__all__ = ["WEIGHTS", "ms_ssim_factors", "ms_ssim_gaussian_valid"]

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales, the finest first."""

_SMALLEST = 11 * 2 ** (len(WEIGHTS) - 1)


def ms_ssim_gaussian_valid(
    restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"], *, data_range: float
) -> Float[Tensor, " b"]:
    """MS-SSIM over five scales, each with Wang's Gaussian 11x11 window inside the image.

    The product of `ms_ssim_factors`, each to the power of its weight (Eq. 7), for each channel alone, then the mean
    over channels. A factor below zero counts as zero, where the power would not be real.

    Args:
        restored: The answer.
        sharp: The truth.
        data_range: Largest value that a pixel can take: 1.0 for images in [0, 1].

    Raises:
        ShapeError: A side below 176 pixels, which the coarsest scale needs.
    """
    if min(restored.shape[-2:]) < _SMALLEST:
        raise ShapeError(
            f"MS-SSIM needs {_SMALLEST} pixels on each side, not {restored.shape[-1]}x{restored.shape[-2]}"
        )
    weights = torch.tensor(WEIGHTS, dtype=torch.float64, device=restored.device)
    factors = ms_ssim_factors(restored, sharp, data_range=data_range, scales=len(WEIGHTS)).clamp_min(0)
    return (factors ** weights[:, None, None]).prod(0).mean(1)


def ms_ssim_factors(
    restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"], *, data_range: float, scales: int
) -> Float[Tensor, "scales b c"]:
    """Contrast times structure of every scale, at the coarsest times luminance, averaged over the image; float64.

    Between scales a 2x2 box filter.

    Args:
        restored: The answer.
        sharp: The truth.
        data_range: Largest value that a pixel can take.
        scales: Number of scales, the full size among them.

    Raises:
        ShapeError: The coarsest scale has a side below 11 pixels.
    """
    restored, sharp = restored.double(), sharp.double()
    means: list[Tensor] = []
    for scale in range(1, scales + 1):
        luminance, structure = ssim_terms_gaussian_valid(restored, sharp, data_range=data_range)
        means.append((luminance * structure if scale == scales else structure).mean((2, 3)))
        restored, sharp = shrink_by_box(restored, 2), shrink_by_box(sharp, 2)
    return torch.stack(means)
