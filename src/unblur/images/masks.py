"""Masks as files and arrays: which pixels of a photo are meant."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unblur.errors import RegionError
from unblur.images.files import read_image
from unblur.images.inks import peak_of

__all__ = ["as_mask", "read_mask"]


def read_mask(path: str | os.PathLike[str]) -> NDArray[np.bool_]:
    """The mask in an image file, `(H, W)`: true where it is white, or at least half as bright and not transparent.

    Raises:
        ReadError: The file cannot be read.
        RegionError: No pixel is marked.
    """
    picture = read_image(path)
    values = picture.colour.mean(axis=2, dtype=np.float64) / peak_of(picture.pixels.dtype)
    if picture.alpha is not None:
        values *= picture.alpha[..., 0] / peak_of(picture.pixels.dtype)
    return as_mask(values)


def as_mask(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Values of `(H, W)` as a mask: booleans as they are, whole numbers from half their peak on, others from 0.5 on.

    Raises:
        RegionError: Another shape, or no pixel is marked.
    """
    if values.ndim != 2:
        raise RegionError(f"a mask has the shape (height, width), not {values.shape}")
    mask = values if values.dtype == bool else values >= 0.5 * peak_of(values.dtype)
    if not mask.any():
        raise RegionError("the mask marks no pixel; what is to be restored is white in it, the rest black")
    return mask
