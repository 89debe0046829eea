"""The photo as a kernel so far would restore it, small and quick: what a method shows while it searches."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from unblur.images.large import Image, LargePhoto
from unblur.images.tensors import resized
from unblur.methods.base import BlurSoFar
from unblur.methods.kernel_search.kernel_step import resize_kernel
from unblur.solvers.photo import restore_with_kernel

__all__ = ["sharpen_preview"]

_PIXELS = 400_000
"""Largest number of pixels of a preview: as many as a page shows, and a tenth of a second of one core."""


def sharpen_preview(blurry: Image, blur: BlurSoFar) -> Float[Tensor, "1 c h2 w2"]:
    """The photo at the size of the kernel's level, or smaller, deconvolved by one linear filter.

    Args:
        blurry: sRGB-encoded, in [0, 1].
        blur: The kernel so far.

    Returns:
        sRGB-encoded, clamped to [0, 1], with the photo's proportions.
    """
    height, width = blurry.shape[-2:]
    scale = min(blur.scale, math.sqrt(_PIXELS / (height * width)))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    small = blurry.at_size(size, "bilinear") if isinstance(blurry, LargePhoto) else resized(blurry, *size)
    side = max(1, round(blur.kernel.shape[-1] * scale / blur.scale) // 2 * 2 + 1)
    kernel = blur.kernel if side == blur.kernel.shape[-1] else resize_kernel(blur.kernel, side)
    # The blocks of a JPEG are not where they were.
    return restore_with_kernel(small, kernel, solver="wiener", encoding=blur.encoding, jpeg_coarseness=0).clamp(0, 1)
