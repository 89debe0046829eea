"""HEIC photos by way of pillow-heif, an extra: libvips' wheel reads AVIF alone. Decoding is run in the sandbox."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np

from unblur.images.limits import check_size, keep_small_blocks
from unblur.images.picture import Picture
from unblur.images.profiles import usable_profile
from unblur.system.extras import import_extra
from unblur.system.scratch import lasting_scratch_file, write_all

__all__ = ["decode_heif", "encode_heif"]

_BLOBS = {"icc": "icc_profile", "exif": "exif", "xmp": "xmp"}


def decode_heif(source: int, max_pixels: int, page: int) -> tuple[dict[str, Any], int]:
    """Decode one image of a HEIC file; the library turns it upright.

    Args:
        source: Open descriptor of the file.
        max_pixels: Most that are allowed.
        page: Number of the image; 0 is the primary one of the file.

    Returns:
        As `decoding.decode`. On damaged files the library raises nearly everything.
    """
    library = import_extra("pillow_heif", "a HEIC photo")
    with os.fdopen(os.dup(source), "rb") as file:
        file.seek(0)
        images = library.open_heif(file, convert_hdr_to_8bit=False)
        image = images[images.primary_index if page == 0 else page]
        width, height = image.size
        check_size(width, height, max_pixels)
        pixels = np.asarray(image)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    notes = list[str]()
    blobs = keep_small_blocks({name: bytes(image.info.get(key) or b"") for name, key in _BLOBS.items()}, notes)
    space = "grey" if pixels.shape[2] < 3 else "rgb"
    blobs["icc"] = usable_profile(blobs["icc"], space, notes)
    header = {
        "dtype": pixels.dtype.name,
        "space": space,
        "has_alpha": pixels.shape[2] in (2, 4),
        "bits": int(image.info.get("bit_depth", 8)),
        "palette": False,
        "frames": len(images),
        "resolution": None,
        "lossless": False,
        "subsampled": image.info.get("chroma") not in (444, None),
        "notes": notes,
        "shape": list(pixels.shape),
        "blobs": {name: len(blob) for name, blob in blobs.items()},
    }
    with lasting_scratch_file() as result:
        for part in (np.ascontiguousarray(pixels).data, *blobs.values()):
            write_all(result, part)
    return header, result


def encode_heif(picture: Picture, quality: int) -> bytes:
    """The bytes of a HEIC file with full chroma: 8 bits, or 10 where the picture has more."""
    library = import_extra("pillow_heif", "writing HEIC")
    letters = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[picture.pixels.shape[2]]
    is_deep = picture.pixels.dtype == np.uint16
    facts, file = picture.facts, io.BytesIO()
    blocks = {"exif": facts.exif, "icc_profile": facts.icc, "xmp": facts.xmp}
    library.encode(
        letters + ";16" if is_deep else letters,
        (picture.width, picture.height),
        np.ascontiguousarray(picture.pixels).tobytes(),
        file,
        quality=quality,
        chroma=444,
        **{name: block for name, block in blocks.items() if block},
    )
    return file.getvalue()
