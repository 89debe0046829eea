"""Peak signal-to-noise ratio, and the gain over the blurry image that follows from it."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from unblur.metrics.luma import luma_matlab_studio

__all__ = ["isnr", "psnr", "psnr_y_matlab"]


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
    error = (restored.double() - sharp.double()).square().mean(dim=(1, 2, 3))
    return 10 * (data_range**2 / error).log10()


def psnr_y_matlab(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """PSNR in dB of `luma_matlab_studio` alone, data range 1, as BasicSR's `test_y_channel`; images in [0, 1]."""
    return psnr(luma_matlab_studio(restored.double()), luma_matlab_studio(sharp.double()), data_range=1.0)


def isnr(
    restored: Float[Tensor, "b c h w"],
    blurry: Float[Tensor, "b c h w"],
    sharp: Float[Tensor, "b c h w"],
    *,
    data_range: float,
) -> Float[Tensor, " b"]:
    """Improvement over the blurry image in dB: `psnr(restored, sharp) - psnr(blurry, sharp)`."""
    return psnr(restored, sharp, data_range=data_range) - psnr(blurry, sharp, data_range=data_range)
