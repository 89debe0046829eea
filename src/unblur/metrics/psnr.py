"""Peak signal-to-noise ratio."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from unblur.metrics.luma import luma_matlab_studio

__all__ = ["psnr", "psnr_of_error", "psnr_y_matlab", "validation_psnr"]


def psnr(
    restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"], *, data_range: float
) -> Float[Tensor, " b"]:
    """`10 log10(data_range^2 / MSE)` in dB of each image, the error averaged over all its channels and pixels.

    No border is cropped, nothing is aligned or rounded; equal images give infinity. (kornia's `psnr` pools the error of
    a whole batch.)

    Args:
        restored: The answer.
        sharp: The truth.
        data_range: Largest value that a pixel can take: 1.0 for images in [0, 1].
    """
    return psnr_of_error((restored.double() - sharp.double()).square().mean(dim=(1, 2, 3)), data_range=data_range)


def psnr_of_error(
    mean_square: Float[Tensor, "*n"], *, data_range: float = 1.0, limit: float = math.inf
) -> Float[Tensor, "*n"]:
    """`10 log10(data_range^2 / MSE)` in dB.

    Args:
        mean_square: Mean squared errors.
        data_range: Largest value that a pixel can take.
        limit: Largest value that is returned, also for no error at all.
    """
    return (10 * (data_range**2 / mean_square).log10()).clamp(max=limit)


def validation_psnr(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """PSNR of images in [0, 1], at most 60 dB, so that a mean of scores survives equal images."""
    return psnr(restored, sharp, data_range=1.0).clamp(max=60.0)


def psnr_y_matlab(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """PSNR in dB of `luma_matlab_studio` alone, data range 1, as BasicSR's `test_y_channel`; images in [0, 1]."""
    return psnr(luma_matlab_studio(restored.double()), luma_matlab_studio(sharp.double()), data_range=1.0)
