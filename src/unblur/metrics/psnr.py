"""Peak signal-to-noise ratio."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

__all__ = ["psnr"]


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
