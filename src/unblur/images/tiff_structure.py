"""The directories of a TIFF file, read off the file itself: one of them for each page."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from unblur.images.limits import MOST_PAGES

__all__ = [
    "BITS",
    "COMPRESSION",
    "PHOTOMETRIC",
    "SAMPLE_FORMAT",
    "VALUE_SIZES",
    "Directory",
    "begins_tiff",
    "end_of_tiff",
    "is_page",
    "read_directories",
]

BITS = 258
COMPRESSION = 259
PHOTOMETRIC = 262
SAMPLE_FORMAT = 339
_SUBFILE = 254
_REDUCED, _MASK = 1, 4  # bits of the tag _SUBFILE
_MOST_ENTRIES = 4096
_MOST_STRIPS = 1 << 20
_WHOLE_NUMBERS = {1: "B", 3: "H", 4: "L", 16: "Q"}
VALUE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of a value by its kind, as TIFF numbers them."""
_PIXELS = ((273, 279), (324, 325))
"""Tags of the offsets and sizes of strips, and of tiles."""


@dataclass(frozen=True)
class Directory:
    """One page's tags.

    Attributes:
        number: Of the directory in the file, from 0.
        at: Its offset.
        numbers: First value of each tag that holds whole numbers, by tag.
        end: Offset behind all that is known to belong to the page: the directory, its values, its pixels.
        length: Bytes of the directory itself.
        claimed: Bytes of all values that lie within the file; more than the file has where they overlap.
    """

    number: int
    at: int
    numbers: dict[int, int]
    end: int
    length: int
    claimed: int


def is_page(directory: Directory) -> bool:
    """Whether a directory is a page, and no reduced copy or mask of one."""
    return not directory.numbers.get(_SUBFILE, 0) & (_REDUCED | _MASK)


def begins_tiff(file: int, at: int) -> bool:
    """Whether a TIFF file begins at an offset of an open file."""
    return os.pread(file, 4, at) in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


def end_of_tiff(file: int) -> int:
    """Offset behind all that the directories of an open file point to."""
    end = max((directory.end for directory in read_directories(file)), default=0)
    return end + end % 2


def read_directories(file: int) -> Iterator[Directory]:
    """The directories of an open file in their order.

    They end where the file is damaged or begins anew, behind so many that the file is refused for their number, and
    where they overlap: together they are larger than the file.

    Args:
        file: Descriptor of a classic TIFF or a BigTIFF, of either byte order.
    """
    head = os.pread(file, 16, 0)
    is_big = head[2:4] in (b"+\x00", b"\x00+")
    tiff = _Tiff(file, "<" if head[:2] == b"II" else ">", *(_BIG if is_big else _CLASSIC))
    try:
        (at,) = struct.unpack_from(tiff.order + tiff.offset, head, 8 if is_big else 4)
        seen, room = set[int](), os.fstat(file).st_size
        while at and at not in seen and len(seen) <= MOST_PAGES and room > 0:
            seen.add(at)
            directory, at = tiff.read_directory(at, len(seen) - 1)
            room -= directory.length
            yield directory
    except struct.error:
        return


_CLASSIC, _BIG = ("H", "HHL4s", "L"), ("Q", "HHQ8s", "Q")
"""Formats of the number of entries, an entry and an offset, as `struct` has them."""


class _Entry(NamedTuple):
    tag: int
    kind: int
    values: int
    field: bytes


def _size_of(entry: _Entry) -> int:
    """Bytes of an entry's values."""
    return VALUE_SIZES.get(entry.kind, 1) * entry.values


@dataclass(frozen=True)
class _Tiff:
    """An open file and how it is laid out."""

    file: int
    order: str
    count: str
    entry: str
    offset: str

    def read_directory(self, at: int, number: int) -> tuple[Directory, int]:
        """The directory at an offset, with its number, and the offset of the next one; 0: there is none."""
        (count,) = self._unpack(self.count, at)
        if count > _MOST_ENTRIES:
            raise struct.error
        form = self.entry * count + self.offset
        start = at + struct.calcsize(self.order + self.count)
        *values, following = self._unpack(form, start)
        entries = [_Entry(*values[first : first + 4]) for first in range(0, len(values), 4)]
        numbers = {entry.tag: self._numbers(entry, 1)[0] for entry in entries if self._is_number(entry)}
        own_end = start + struct.calcsize(self.order + form)
        end = max([own_end, self._end_of_pixels(entries), *map(self._end_of, entries)])
        file_size = os.fstat(self.file).st_size
        claimed = sum(_size_of(entry) for entry in entries if self._end_of(entry) <= file_size)
        return Directory(number, at, numbers, end, own_end - at, claimed), following

    def _is_number(self, entry: _Entry) -> bool:
        return entry.kind in _WHOLE_NUMBERS and entry.values > 0

    def _end_of(self, entry: _Entry) -> int:
        """Offset behind an entry's values, if they lie outside of it."""
        size = _size_of(entry)
        return self._place(entry) + size if size > len(entry.field) else 0

    def _end_of_pixels(self, entries: list[_Entry]) -> int:
        """Offset behind the last strip or tile."""
        by_tag = {entry.tag: entry for entry in entries if self._is_number(entry)}
        end = 0
        for offsets, sizes in _PIXELS:
            if offsets in by_tag and sizes in by_tag:
                places = self._numbers(by_tag[offsets], _MOST_STRIPS), self._numbers(by_tag[sizes], _MOST_STRIPS)
                end = max([end, *(at + size for at, size in zip(*places, strict=False))])
        return end

    def _numbers(self, entry: _Entry, most: int) -> tuple[int, ...]:
        """An entry's values, the first ones of too many."""
        letter, count = _WHOLE_NUMBERS[entry.kind], min(entry.values, most)
        if entry.values * VALUE_SIZES[entry.kind] > len(entry.field):
            return self._unpack(letter * count, self._place(entry))
        return struct.unpack_from(self.order + letter * count, entry.field)

    def _place(self, entry: _Entry) -> int:
        """Where an entry's values lie that do not fit into its field."""
        return struct.unpack(self.order + self.offset, entry.field)[0]

    def _unpack(self, form: str, at: int) -> tuple[Any, ...]:
        """Values at an offset; `struct.error` where the file ends before."""
        try:
            data = os.pread(self.file, struct.calcsize(self.order + form), at)
        except (OSError, OverflowError):
            data = b""
        return struct.unpack(self.order + form, data)
