"""Scores of one image as plain numbers."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from unblur.metrics.psnr import psnr
from unblur.metrics.score import score

__all__ = ["gain_of", "psnr_of"]

_LIMIT = 100.0


def psnr_of(
    image: Tensor, sharp: Tensor, protocol: Literal["plain", "shift", "wide-shift"] = "plain", *, limit: float = _LIMIT
) -> float:
    """PSNR in dB of one image, clamped to [0, 1].

    Args:
        image: `(1, c, h, w)`.
        sharp: The truth, of the same shape.
        protocol: See `unblur.metrics.protocols`.
        limit: Largest value, which equal images get.
    """
    image = image.clamp(0, 1)
    value = psnr(image, sharp, data_range=1.0) if protocol == "plain" else score(image, sharp, protocol).psnr
    return min(float(value), limit)


def gain_of(image: Tensor, blurry: Tensor, sharp: Tensor) -> float:
    """PSNR of an image minus that of the blurry one, in dB, protocol `plain`."""
    return psnr_of(image, sharp) - psnr_of(blurry, sharp)
