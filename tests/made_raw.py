"""Camera raw files made for tests: a DNG of a colour pattern, of a scene that is known."""

import io
from pathlib import Path
from typing import Any

import numpy as np

WHITE = 16383
XYZ_TO_SRGB = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.9692660, 1.8760108, 0.0415560),
    (0.0556434, -0.2040259, 1.0572252),
)
"""Of a camera that sees the primaries of sRGB: no colours are mixed."""


def dng(linear: "np.ndarray[Any, Any]", path: Path | None = None, *, orientation: int = 1) -> bytes:
    """A DNG whose sensor (pattern RGGB, 14 bits) saw the scene `(H, W, 3)` in linear light, [0, 1]."""
    import tifffile

    pattern = np.empty(linear.shape[:2])
    for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        pattern[row::2, column::2] = linear[row::2, column::2, channel]
    matrix = [part for value in np.ravel(XYZ_TO_SRGB) for part in (round(10_000 * value), 10_000)]
    file = io.BytesIO()
    tifffile.imwrite(
        file,
        np.round(WHITE * pattern).astype(np.uint16),
        photometric=32803,
        metadata=None,
        software="",
        extratags=[
            (271, 2, 0, "Nonesuch", True),
            (272, 2, 0, "One", True),
            (274, 3, 1, orientation, True),
            (33421, 3, 2, (2, 2), True),  # repeat of the pattern
            (33422, 1, 4, (0, 1, 1, 2), True),  # the pattern
            (50706, 1, 4, (1, 4, 0, 0), True),  # DNGVersion
            (50708, 2, 0, "Nonesuch One", True),
            (50714, 3, 1, 0, True),  # BlackLevel
            (50717, 3, 1, WHITE, True),  # WhiteLevel
            (50721, 10, 9, tuple(matrix), True),  # ColorMatrix1
            (50728, 5, 3, (1,) * 6, True),  # AsShotNeutral
            (50778, 3, 1, 21, True),  # CalibrationIlluminant1: D65
        ],
    )
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.getvalue())
    return file.getvalue()


def scene(height: int = 64, width: int = 96) -> "np.ndarray[Any, Any]":
    """Smooth colours, so that any demosaicking finds them, with a brightest value well below white."""
    down, across = np.mgrid[0:height, 0:width] / (height, width)[0]
    across = across * height / width
    return np.stack([0.1 + 0.6 * across, np.full_like(down, 0.3), 0.7 - 0.6 * down], axis=-1)
