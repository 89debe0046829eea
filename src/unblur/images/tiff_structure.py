"""The directories of a TIFF file, read off the file itself: one of them for each page."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = [
    "BITS",
    "COMPRESSION",
    "LARGEST_COUNT",
    "PHOTOMETRIC",
    "SAMPLE_FORMAT",
    "Directory",
    "is_page",
    "read_directories",
]

LARGEST_COUNT = 100_000
"""Directories that are read of one file."""

BITS = 258
COMPRESSION = 259
PHOTOMETRIC = 262
SAMPLE_FORMAT = 339
_SUBFILE = 254
_REDUCED, _MASK = 1, 4  # bits of the tag _SUBFILE
_MOST_ENTRIES = 4096
_WHOLE_NUMBERS = {1: "B", 3: "H", 4: "L", 16: "Q"}


@dataclass(frozen=True)
class Directory:
    """One page's tags.

    Attributes:
        numbers: By tag, the first value of those that hold whole numbers.
    """

    numbers: dict[int, int]


def is_page(directory: Directory) -> bool:
    """Whether a directory is a page, and no reduced copy or mask of one."""
    return not directory.numbers.get(_SUBFILE, 0) & (_REDUCED | _MASK)


def read_directories(file: int) -> Iterator[Directory]:
    """The directories of an open file in their order; ends where the file is damaged or begins anew.

    Args:
        file: Descriptor of a classic TIFF or a BigTIFF, of either byte order.
    """
    head = os.pread(file, 16, 0)
    order = "<" if head[:2] == b"II" else ">"
    is_big = head[2:4] in (b"+\x00", b"\x00+")
    layout = _BIG if is_big else _CLASSIC
    try:
        (at,) = struct.unpack_from(order + layout.offset, head, 8 if is_big else 4)
        seen = set[int]()
        while at and at not in seen and len(seen) < LARGEST_COUNT:
            seen.add(at)
            directory, at = _read_directory(file, at, order, layout)
            yield directory
    except struct.error:
        return


@dataclass(frozen=True)
class _Layout:
    count: str
    entry: str
    offset: str


_CLASSIC, _BIG = _Layout("H", "HHL4s", "L"), _Layout("Q", "HHQ8s", "Q")


def _read_directory(file: int, at: int, order: str, layout: _Layout) -> tuple[Directory, int]:
    """The directory at an offset and the offset of the next one; 0: there is none."""
    (count,) = struct.unpack(order + layout.count, _read(file, at, order + layout.count))
    if count > _MOST_ENTRIES:
        raise struct.error
    form = order + layout.entry * count + layout.offset
    *entries, following = struct.unpack(form, _read(file, at + struct.calcsize(order + layout.count), form))
    fields = zip(entries[0::4], entries[1::4], entries[2::4], entries[3::4], strict=True)
    numbers = {
        tag: _first_number(file, order, layout, (kind, values, field))
        for tag, kind, values, field in fields
        if kind in _WHOLE_NUMBERS and values
    }
    return Directory(numbers), following


def _first_number(file: int, order: str, layout: _Layout, entry: tuple[int, int, bytes]) -> int:
    """A tag's first value; a field that is too small for all values holds the offset of them."""
    kind, values, field = entry
    form = order + _WHOLE_NUMBERS[kind]
    if values * struct.calcsize(form) > len(field):
        (at,) = struct.unpack(order + layout.offset, field)
        (number,) = struct.unpack(form, _read(file, at, form))
    else:
        (number,) = struct.unpack_from(form, field)
    return number


def _read(file: int, at: int, form: str) -> bytes:
    try:
        return os.pread(file, struct.calcsize(form), at)
    except (OSError, OverflowError):
        return b""
