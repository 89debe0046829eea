"""Photos as the page shows them: small enough for a phone, in the colours of their profile."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unblur.images.files import read_image
from unblur.images.picture import Picture
from unblur.images.working import to_working

__all__ = ["View", "write_view"]

_MOST_PIXELS = 2_000_000
_PLENTY = 4 * _MOST_PIXELS
"""Of pictures with more pixels than this, only every n-th is converted: the view is shrunk from there."""
_QUALITY = 92


class View(NamedTuple):
    """A photo that can be shown: its file, and the size of the photo itself in pixels."""

    path: Path
    width: int
    height: int


def write_view(photo: Path, path: Path) -> View:
    """Write what the page shows of a photo as JPEG: upright, two million pixels at most, with its colour profile.

    Args:
        photo: Of any format that can be read; of several pages the first.
        path: File to write.

    Raises:
        ReadError: The photo cannot be read.
    """
    picture = read_image(photo)
    image = Image.fromarray(_pixels(picture))
    scale = math.sqrt(_MOST_PIXELS / (picture.width * picture.height))
    if scale < 1:
        size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        image = image.resize(size, Image.Resampling.LANCZOS)
    # Inks were converted to sRGB for the view; their profile would be wrong for it.
    profile = None if picture.space == "cmyk" else picture.facts.icc
    image.save(path, "JPEG", quality=_QUALITY, subsampling=0, icc_profile=profile)
    return View(path, picture.width, picture.height)


def _pixels(picture: Picture) -> NDArray[np.uint8]:
    """`(H, W)` or `(H, W, 3)`, on the scale of the file."""
    step = max(1, math.isqrt(picture.width * picture.height // _PLENTY))
    few = Picture(picture.pixels[::step, ::step], picture.space, picture.has_alpha, picture.facts)
    pixels = np.rint(255 * to_working(few)).astype(np.uint8)
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels
