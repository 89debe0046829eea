"""Camera raw files by way of rawpy (LibRaw), an extra. Decoding is run in the sandbox.

The sensor counts light, so its demosaicked values are linear, and no tone curve has to be guessed. They leave here with
sRGB's primaries and sRGB's curve, as all pictures have: undoing that curve, which is known, gives them back.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unblur.errors import ReadError
from unblur.images.containers import read_exif
from unblur.images.exif import PREFIX
from unblur.images.limits import check_size, keep_small_blocks
from unblur.images.tiff_structure import begins_tiff, read_directories
from unblur.system.extras import import_extra
from unblur.system.scratch import lasting_scratch_file, write_all

__all__ = ["decode_raw"]

_NO_EXIF = "EXIF of this kind of camera raw file is not kept"


def decode_raw(source: int, max_pixels: int) -> tuple[dict[str, Any], int]:
    """Decode a camera raw file: demosaicked, upright, 16 bits, white balance of the camera, exposure as it was.

    Args:
        source: Open descriptor of the file.
        max_pixels: Most that are allowed.

    Returns:
        As `decoding.decode`.

    Raises:
        ReadError: LibRaw cannot read the file.
        TooLargeError: More pixels than allowed.
    """
    library = import_extra("rawpy", "a camera raw file")
    with os.fdopen(os.dup(source), "rb") as file:
        file.seek(0)
        try:
            with library.imread(file) as raw:
                check_size(raw.sizes.width, raw.sizes.height, max_pixels)
                linear = raw.postprocess(
                    gamma=(1, 1),
                    no_auto_bright=True,
                    adjust_maximum_thr=0,  # white stays the sensor's, however bright the brightest pixel is
                    use_camera_wb=True,
                    output_bps=16,
                    output_color=library.ColorSpace.sRGB,
                )
        except library.LibRawError as error:
            reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
            raise ReadError(
                f"is a camera raw file that cannot be decoded ({reason.lower()}); develop it first"
            ) from None
    exif = _read_exif(source)
    notes = [] if exif else [_NO_EXIF]
    blobs = keep_small_blocks({"exif": exif}, notes)
    header = {
        "dtype": "uint16",
        "space": "grey" if linear.shape[2] == 1 else "rgb",
        "has_alpha": False,
        "bits": 16,
        "palette": False,
        "frames": 1,
        "resolution": None,
        "lossless": True,
        "subsampled": False,
        "notes": notes,
        "shape": list(linear.shape),
        "blobs": {"exif": len(blobs["exif"])},
    }
    with lasting_scratch_file() as result:
        write_all(result, _encode_srgb(linear).data)
        write_all(result, blobs["exif"])
    return header, result


def _encode_srgb(linear: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The values on sRGB's curve (IEC 61966-2-1), by a table of all that there can be."""
    light = np.arange(1 << 16) / 0xFFFF
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(0xFFFF * curve).astype(np.uint16)[linear]


def _read_exif(source: int) -> bytes:
    """The EXIF of a raw file in TIFF's form, without its orientation, which is applied; empty for other forms."""
    first = next(read_directories(source), None) if begins_tiff(source, 0) else None
    if first is None:
        return b""
    try:
        found = read_exif(source, first)
    except Exception:  # Pillow's parser raises nearly everything on what is no plain TIFF
        return b""
    return found.tobytes().removeprefix(PREFIX) if len(found) else b""
