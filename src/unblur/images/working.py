"""Stored pixels to the numbers that methods work on, and back.

Colours keep the encoding of the file (its profile's), scaled to [0, 1]; inks become sRGB. What is back in the file's
own dtype equals what was read wherever a method changed nothing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unblur.errors import ImageError, ShapeError
from unblur.images.filling import fill_hidden
from unblur.images.inks import peak_of, rgb_to_cmyk, to_srgb
from unblur.images.picture import Picture

__all__ = ["from_working", "to_working"]


def to_working(picture: Picture) -> NDArray[np.float32]:
    """Colour channels as `(H, W, 1 | 3)` in [0, 1].

    What lies hidden under fully transparent pixels is replaced by a smooth continuation of the visible colours, so
    that it cannot bleed into them. Floating-point values above 1 are divided by a power of two, which is exact;
    negative ones become 0.

    Raises:
        ImageError: Floating-point pixels that are not finite.
    """
    shown = to_srgb(picture) if picture.space == "cmyk" else picture
    if picture.pixels.dtype.kind == "f" and not _all_finite(picture.pixels):
        raise ImageError("has pixels that are not finite numbers (NaN or infinite)")
    working = shown.colour.astype(np.float32)
    working /= np.float32(_scale_of(picture))
    if picture.alpha is not None and not picture.alpha.all():
        alpha = picture.alpha.astype(np.float32) / np.float32(peak_of(picture.pixels.dtype))
        working = fill_hidden(working, np.clip(alpha, 0, 1))
    return np.clip(working, 0, 1, out=working)


def from_working(restored: NDArray[Any], like: Picture) -> Picture:
    """A picture of the same dtype, colour space, alpha and facts as `like`, with restored colours.

    Args:
        restored: `(H, W, 1 | 3)` on the scale of `to_working`; clamped to [0, 1] here, once.
        like: The picture that was read. Its alpha is returned bit for bit, and so is the colour of fully
            transparent pixels.

    Raises:
        ShapeError: Another size or number of channels than `to_working(like)` has.
        ImageError: Values that are not finite.
    """
    channels = 3 if like.space == "cmyk" else like.colour.shape[2]
    expected = (like.height, like.width, channels)
    if restored.shape != expected:
        raise ShapeError(f"expected restored colours of shape {expected}, got {restored.shape}")
    if not _all_finite(restored):
        raise ImageError("was restored to pixels that are not finite numbers")
    scaled = np.clip(restored, 0, 1)
    scaled *= np.float32(_scale_of(like))
    stored = (np.rint(scaled, out=scaled) if like.pixels.dtype.kind == "u" else scaled).astype(like.pixels.dtype)
    colour = rgb_to_cmyk(stored, like) if like.space == "cmyk" else stored
    if like.alpha is not None:
        colour = np.where(like.alpha == 0, like.colour, colour)
    return like.with_colour(colour)


def _all_finite(values: NDArray[Any]) -> bool:
    """Whether no value is NaN or infinite, without a mask as large as the picture: NaN survives in both extremes."""
    return values.size == 0 or bool(np.isfinite(values.min()) and np.isfinite(values.max()))


def _scale_of(picture: Picture) -> float:
    """What full intensity is: the dtype's peak, or for floating point the power of two that bounds the values."""
    if picture.pixels.dtype.kind == "u":
        return peak_of(picture.pixels.dtype)
    largest = float(picture.colour.max(initial=0))
    return 2.0 ** math.ceil(math.log2(largest)) if largest > 1 else 1.0
