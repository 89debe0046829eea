"""TIFF files of one page joined to one file of many: each page keeps its bytes, only its offsets move."""

from __future__ import annotations

import struct
from typing import BinaryIO

from unblur.errors import FormatError
from unblur.images.tiff_structure import VALUE_SIZES

__all__ = ["TiffJoiner"]

_SHORT, _LONG = 3, 4
_PIXELS = (273, 324)  # offsets of strips, of tiles
_DIRECTORIES = (330, 0x8769, 0x8825, 0xA005)  # offsets of further directories: sub-images, EXIF, GPS, interoperability
_DEEPEST = 3
_LARGEST = 0xFFFFFFFF


class TiffJoiner:
    """Writes page after page to an open file; it is a TIFF file after each of them.

    Args:
        file: Empty, open for writing. Pages are little-endian TIFF files of the classic kind, as we write them.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = 0
        self._link = 0
        """Where the offset of the next page's directory belongs."""

    def add(self, page: bytes) -> None:
        """Append one page.

        Raises:
            FormatError: The file would be larger than 4 GB, the most that TIFF holds.
        """
        base = self._size
        if base + len(page) + 16 > _LARGEST:
            raise FormatError("cannot be written as TIFF, which holds at most 4 GB; take fewer pages")
        (at,) = struct.unpack_from("<L", page, 4)
        data = bytearray(page)
        if base:
            _move(data, at, base, _DEEPEST)
            self._file.seek(self._link)
            self._file.write(struct.pack("<L", base + at))
        data += bytes(-len(data) % 2)  # offsets are even
        self._file.seek(base)
        self._file.write(data)
        (entries,) = struct.unpack_from("<H", data, at)
        self._link = base + at + 2 + 12 * entries
        self._size = base + len(data)


def _move(data: bytearray, at: int, base: int, depth: int) -> None:
    """Add the base to every offset in the directory at `at` and in those below it."""
    (entries,) = struct.unpack_from("<H", data, at)
    for place in range(at + 2, at + 2 + 12 * entries, 12):
        tag, kind, count = struct.unpack_from("<HHL", data, place)
        field = place + 8
        values = field
        if count * VALUE_SIZES[kind] > 4:
            (values,) = struct.unpack_from("<L", data, field)
            struct.pack_into("<L", data, field, values + base)
        if tag in _PIXELS:
            _move_pixels(data, place, values, base)
        elif tag in _DIRECTORIES and kind == _LONG and depth:
            for number in range(count):
                (below,) = struct.unpack_from("<L", data, values + 4 * number)
                struct.pack_into("<L", data, values + 4 * number, below + base)
                _move(data, below, base, depth - 1)


def _move_pixels(data: bytearray, place: int, values: int, base: int) -> None:
    """Add the base to the offsets of strips; 16 bits are too few for them afterwards."""
    _, kind, count = struct.unpack_from("<HHL", data, place)
    offsets = struct.unpack_from(f"<{count}{'H' if kind == _SHORT else 'L'}", data, values)
    moved = struct.pack(f"<{count}L", *(offset + base for offset in offsets))
    struct.pack_into("<H", data, place + 2, _LONG)
    if kind == _LONG or count == 1:
        data[values : values + len(moved)] = moved
    else:
        struct.pack_into("<L", data, place + 8, base + len(data))
        data += moved
