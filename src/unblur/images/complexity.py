"""What makes a small file costly to decode, counted before anything is decoded. Run in the sandbox alone."""

from __future__ import annotations

import math
import mmap
import os
import re
import struct

from unblur.errors import ReadError, TooLargeError
from unblur.images.limits import check_page_count
from unblur.images.tiff_structure import read_directories

__all__ = ["count_frames_of_webp", "count_scans", "refuse_costly"]

_MOST_SCANS = 100
"""Encoders write about ten; each one costs a walk over the whole picture, however few bytes it has."""
_MOST_SCANNED = 2_000_000_000
"""Pixels times scans: twenty scans of the largest photo that is allowed by default."""
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
"""A marker of a JPEG, but for those within coded pixels (stuffed zeros, restarts)."""
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of the header that states the size."""


def refuse_costly(file: int, kind: str) -> None:
    """Refuse an open file that would keep its decoder busy for minutes.

    Raises:
        ReadError: A TIFF of which a page's values together are more than twice as large as the file.
        TooLargeError: A JPEG of too many scans for its size, or a WebP of more frames than are allowed.
    """
    size = os.fstat(file).st_size
    if not size:
        return
    if kind == "jpeg":
        _refuse_scans(*count_scans(file))
    if kind == "webp":
        check_page_count(count_frames_of_webp(file))
    if kind == "tiff" and any(directory.claimed > 2 * size for directory in read_directories(file)):
        raise ReadError("is damaged: its tags overlap")


def _refuse_scans(scans: int, pixels: int) -> None:
    allowed = min(_MOST_SCANS, _MOST_SCANNED // max(pixels, 1))
    if scans > max(allowed, 1):
        raise TooLargeError(
            f"is a JPEG of {scans} scans over {pixels / 1e6:.3g} million pixels; {allowed} are allowed for this size, "
            "and usual files have up to ten"
        )


def count_scans(file: int) -> tuple[int, int]:
    """Scans and pixels of the first image in an open JPEG file, as far as it can be followed."""
    at, scans, pixels = 2, 0, 0
    with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as data:
        while (found := _MARKER.search(data, at)) and (marker := data[found.end() - 1]) != _END:
            at = found.end()
            if marker in _FRAMES:
                pixels = max(pixels, math.prod(struct.unpack_from(">HH", data[at : at + 7].ljust(7, b"\x00"), 3)))
            if marker != _START:
                at += int.from_bytes(data[at : at + 2], "big")
            scans += marker == _SCAN
    return scans, pixels


def count_frames_of_webp(file: int) -> int:
    """Frames of an open WebP file, by its chunks; 0: it is no animation. The library walks all for each of them."""
    at, frames = 12, 0
    with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as data:
        while at + 8 <= len(data):
            name, size = struct.unpack_from("<4sL", data, at)
            frames += name == b"ANMF"
            at += 8 + size + size % 2
    return frames
