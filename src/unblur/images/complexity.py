"""What makes a small file costly to decode, counted before anything is decoded. Run in the sandbox alone."""

from __future__ import annotations

import mmap
import os
import re
import struct

from unblur.errors import TooLargeError
from unblur.images.limits import check_page_count

__all__ = ["count_frames_of_webp", "count_scans", "refuse_costly"]

_MOST_SCANS = 100
"""Encoders write about ten; each one costs a walk over the whole picture, however few bytes it has."""
_MARKER = re.compile(rb"\xff+[\x02-\xcf\xd8-\xfe]")
"""A marker of a JPEG, but for those within coded pixels (stuffed zeros, restarts)."""
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA


def refuse_costly(file: int, kind: str) -> None:
    """Refuse an open file that would keep its decoder busy for minutes.

    Raises:
        TooLargeError: A JPEG of more than 100 scans, or a WebP of more frames than are allowed.
    """
    if not os.fstat(file).st_size:
        return
    if kind == "jpeg" and (scans := count_scans(file)) > _MOST_SCANS:
        raise TooLargeError(f"is a JPEG of {scans} scans; {_MOST_SCANS} are allowed, and usual files have up to ten")
    if kind == "webp":
        check_page_count(count_frames_of_webp(file))


def count_scans(file: int) -> int:
    """Scans of the first image in an open JPEG file, as far as it can be followed."""
    at, scans = 2, 0
    with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as data:
        while (found := _MARKER.search(data, at)) and (marker := data[found.end() - 1]) != _END:
            at = found.end()
            if marker != _START:
                at += int.from_bytes(data[at : at + 2], "big")
            scans += marker == _SCAN
    return scans


def count_frames_of_webp(file: int) -> int:
    """Frames of an open WebP file, by its chunks; 0: it is no animation. The library walks all for each of them."""
    at, frames = 12, 0
    with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as data:
        while at + 8 <= len(data):
            name, size = struct.unpack_from("<4sL", data, at)
            frames += name == b"ANMF"
            at += 8 + size + size % 2
    return frames
