"""Multi-scale structural similarity (Wang, Simoncelli, Bovik, Asilomar 2003)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import ShapeError
from unblur.metrics.ssim import shrink_by_box, ssim_terms_gaussian_valid

__all__ = ["ms_ssim_gaussian_valid"]

_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_SMALLEST = 11 * 2 ** (len(_WEIGHTS) - 1)


def ms_ssim_gaussian_valid(
    restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"], *, data_range: float
) -> Float[Tensor, " b"]:
    """MS-SSIM over five scales, each with Wang's Gaussian 11x11 window inside the image.

    Contrast and structure of every scale, luminance of the coarsest alone, each averaged over the image before it is
    raised to its weight (Eq. 7); between scales a 2x2 box filter. Each channel alone, then the mean over channels. A
    mean below zero counts as zero, where the power would not be real.

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
    restored, sharp = restored.double(), sharp.double()
    product = torch.ones(restored.shape[:2], dtype=torch.float64, device=restored.device)
    for place, weight in enumerate(_WEIGHTS, start=1):
        luminance, structure = ssim_terms_gaussian_valid(restored, sharp, data_range=data_range)
        values = luminance * structure if place == len(_WEIGHTS) else structure
        product = product * values.mean(dim=(2, 3)).clamp_min(0) ** weight
        restored, sharp = shrink_by_box(restored, 2), shrink_by_box(sharp, 2)
    return product.mean(dim=1)
