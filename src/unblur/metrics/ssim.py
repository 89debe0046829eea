"""Structural similarity (Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 2004) in the variants that papers report.

One pair of images has an SSIM of 0.77 to 0.89 depending on the variant, so the variant is part of the name.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from kornia.metrics import ssim
from torch import Tensor

from unblur.errors import ShapeError

__all__ = ["ssim_gaussian_valid", "ssim_gaussian_valid_subsampled"]

_WINDOW = 11


def ssim_gaussian_valid(
    restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"], *, data_range: float
) -> Float[Tensor, " b"]:
    """SSIM as in Wang's `ssim.m`: Gaussian 11x11 window of 1.5 pixels, only where it lies inside the image.

    Each channel alone, then the mean over channels and pixels. No border is cropped beyond the window's.

    Args:
        restored: The answer.
        sharp: The truth.
        data_range: Largest value that a pixel can take: 1.0 for images in [0, 1].

    Raises:
        ShapeError: A side below 11 pixels.
    """
    if min(restored.shape[-2:]) < _WINDOW:
        raise ShapeError(f"SSIM needs {_WINDOW} pixels on each side, not {restored.shape[-1]}x{restored.shape[-2]}")
    values = ssim(restored, sharp, _WINDOW, max_val=float(data_range), eps=0.0, padding="valid")
    return values.double().mean(dim=(1, 2, 3))


def ssim_gaussian_valid_subsampled(
    restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"], *, data_range: float
) -> Float[Tensor, " b"]:
    """`ssim_gaussian_valid` of images brought to about 256 pixels, as Wang's later script does for larger ones.

    Box filter of `f = max(1, round(min(H, W) / 256))` pixels with mirrored border, then every f-th pixel; up to 383
    pixels f is 1 and nothing changes.
    """
    factor = max(1, int(min(restored.shape[-2:]) / 256 + 0.5))
    return ssim_gaussian_valid(_shrink(restored, factor), _shrink(sharp, factor), data_range=data_range)


def _shrink(image: Tensor, factor: int) -> Tensor:
    """MATLAB's `imfilter(image, ones(f) / f^2, 'symmetric')` at every f-th pixel."""
    if factor == 1:
        return image
    before = (factor - 1) // 2
    for axis in (-2, -1):
        size = image.shape[axis]
        position = torch.arange(-before, size + factor - 1 - before, device=image.device)
        mirrored = torch.where(position < 0, -1 - position, position)
        mirrored = torch.where(mirrored >= size, 2 * size - 1 - mirrored, mirrored)
        image = image.index_select(axis, mirrored)
    return F.avg_pool2d(image, factor, stride=factor)
