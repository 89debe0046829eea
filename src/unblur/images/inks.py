"""CMYK and other profiled colours to sRGB and back.

With a profile, its conversion is done by the worker process. Without one there is no right answer, and the plain
model `rgb = (1 - ink) * (1 - black)` serves, which can be undone exactly.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unblur.errors import ImageError, ReadError
from unblur.images.decoder import map_pixels, run_job
from unblur.images.limits import Limits
from unblur.images.picture import Picture
from unblur.system.scratch import scratch_file, write_all

__all__ = ["peak_of", "rgb_to_cmyk", "to_srgb"]

_RGB, _CMYK = b"RGB ", b"CMYK"  # as a profile's header names them


def peak_of(dtype: np.dtype[Any]) -> float:
    """The value that stands for full intensity: 255, 65535 or, for floating point, 1."""
    return float(np.iinfo(dtype).max) if dtype.kind == "u" else 1.0


def to_srgb(picture: Picture) -> Picture:
    """The picture in sRGB, with the same depth and alpha, and without a profile.

    A grey picture stays grey. Floating-point pixels are left in the space they are in, because a profile's tables
    end at 1.
    """
    plain = replace(picture, facts=replace(picture.facts, icc=None))
    if picture.space == "grey" or (picture.space == "rgb" and not picture.facts.icc):
        return plain
    converted = _by_profile(picture.colour, picture.facts.icc, back=False)
    if converted is None and picture.space == "cmyk":
        converted = _cmyk_to_rgb(picture.colour)
    return plain if converted is None else replace(plain.with_colour(converted), space="rgb")


def rgb_to_cmyk(rgb: NDArray[Any], like: Picture) -> NDArray[Any]:
    """Inks for colours.

    Args:
        rgb: `(H, W, 3)`, sRGB, of the picture's dtype.
        like: A CMYK picture: its profile is used, or else its own share of black is kept where it can be.

    Returns:
        `(H, W, 4)` of the same dtype.
    """
    converted = _by_profile(rgb, like.facts.icc, back=True)
    return _rgb_to_cmyk(rgb, like.colour) if converted is None else converted


def _by_profile(pixels: NDArray[Any], profile: bytes | None, *, back: bool) -> NDArray[Any] | None:
    """Pixels converted by the worker, or None where the profile cannot do it."""
    space = _CMYK if back or pixels.shape[2] == 4 else _RGB
    # libvips would take a profile of its own in place of one for other pixels; the plain model is preferred here.
    if profile is None or profile[16:20] != space or pixels.dtype.kind != "u":
        return None
    pixels = np.ascontiguousarray(pixels)
    source = scratch_file()
    try:
        write_all(source, pixels.data)
        write_all(source, profile)
        header, file = run_job(
            "convert",
            source,
            Limits(),
            shape=pixels.shape,
            dtype=pixels.dtype.name,
            profile_bytes=len(profile),
            back=back,
        )
    except ReadError:
        return None
    except OSError as error:
        raise ImageError(f"cannot be converted to other colours: {(error.strerror or 'no memory').lower()}") from error
    finally:
        os.close(source)
    try:
        converted, _ = map_pixels(file, tuple(header["shape"]), pixels.dtype.name)
    finally:
        os.close(file)
    return converted if converted.shape[2] == (4 if back else 3) else None


def _cmyk_to_rgb(inks: NDArray[Any]) -> NDArray[Any]:
    peak = peak_of(inks.dtype)
    paper = 1 - inks.astype(np.float32) / peak
    return _stored(paper[..., :3] * paper[..., 3:], inks.dtype)


def _rgb_to_cmyk(rgb: NDArray[Any], inks: NDArray[Any]) -> NDArray[Any]:
    peak = peak_of(inks.dtype)
    light = rgb.astype(np.float32) / peak
    brightest = light.max(axis=2, keepdims=True)
    black = np.minimum(inks[..., 3:].astype(np.float32) / peak, 1 - brightest)
    paper = 1 - black
    # Under full black any ink looks the same: keep what was there.
    colour = np.where(paper > 0, 1 - light / np.maximum(paper, 1e-6), inks[..., :3].astype(np.float32) / peak)
    return _stored(np.concatenate([colour, black], axis=2), inks.dtype)


def _stored(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    clipped = np.clip(values, 0, 1)
    return (np.rint(clipped * peak_of(dtype)) if dtype.kind == "u" else clipped).astype(dtype)
