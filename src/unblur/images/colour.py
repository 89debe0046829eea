"""Colours through their profile into sRGB and back, run in the worker process: a profile is hostile input too."""

from __future__ import annotations

import mmap
import os
from typing import Any

import pyvips

from unblur.errors import ReadError
from unblur.system.scratch import lasting_scratch_file, scratch_file, write_all

__all__ = ["convert"]

_FORMATS = {"uint8": "uchar", "uint16": "ushort"}


def convert(source: int, request: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Convert pixels between a profile and sRGB.

    Args:
        source: Scratch file with the pixels, then the profile.
        request: `shape` and `dtype` of the pixels, `profile_bytes`, and `back`: from sRGB into the profile.

    Returns:
        Header with the new `shape` (same `dtype`), and the scratch file of its pixels.

    Raises:
        ReadError: The profile cannot be used for such pixels.
    """
    height, width, bands = request["shape"]
    with mmap.mmap(source, 0, access=mmap.ACCESS_READ) as data:
        split = len(data) - request["profile_bytes"]
        pixels, profile = data[:split], data[split:]
    image: Any = pyvips.Image.new_from_memory(pixels, width, height, bands, _FORMATS[request["dtype"]])
    depth = {"uint8": 8, "uint16": 16}[request["dtype"]]
    spaces = {8: {3: "srgb", 4: "cmyk", 1: "b-w"}, 16: {3: "rgb16", 4: "cmyk", 1: "grey16"}}[depth]
    image = image.copy(interpretation=spaces[bands])
    try:
        converted = _export(image, profile, depth) if request["back"] else _import(image, profile, depth)
        result = converted.write_to_memory()
    except pyvips.Error:
        raise ReadError("has a colour profile that cannot be used for its pixels") from None
    with lasting_scratch_file() as file:
        write_all(file, result)
    return {"shape": [height, width, converted.bands], "dtype": request["dtype"]}, file


def _import(image: Any, profile: bytes, depth: int) -> Any:
    """Pixels of the profile's space to sRGB."""
    tagged = image.copy()
    tagged.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return tagged.icc_transform("srgb", embedded=True, intent="relative", black_point_compensation=True, depth=depth)


def _export(image: Any, profile: bytes, depth: int) -> Any:
    """Pixels of sRGB into the profile's space."""
    # libvips takes profiles for output by file name only, and reads them at once.
    file = scratch_file()
    try:
        write_all(file, profile)
        return image.icc_transform(
            f"/dev/fd/{file}", input_profile="srgb", intent="relative", black_point_compensation=True, depth=depth
        )
    finally:
        os.close(file)
