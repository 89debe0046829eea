"""EXIF blocks, changed where a turned picture makes them untrue and nowhere else.

libvips and Pillow both write EXIF anew from what they understood of it, which moves maker notes (whose offsets then
point nowhere) and drops unknown tags. So a block is kept byte for byte and patched in place.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from unblur.images.tiff_structure import VALUE_SIZES

__all__ = ["PREFIX", "check_extent", "upright_exif", "upright_xmp", "with_valid_orientation"]

PREFIX = b"Exif\x00\x00"
"""What JPEG puts before the block, and PNG does not."""

_ORIENTATION, _EXIF_DIRECTORY = 0x0112, 0x8769
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_WIDTHS, _HEIGHTS = {0x0100, 0xA002}, {0x0101, 0xA003}
_SHORT, _LONG = 3, 4
_ENTRY_BYTES = 12
_MOST_ENTRIES = 4096
"""Of all directories together; cameras write some hundreds."""
_SUB_DIRECTORIES = {0x8769, 0x8825, 0xA005}  # EXIF, GPS, interoperability


_Bytes = bytes | bytearray | mmap.mmap


class _Entry(NamedTuple):
    tag: int
    kind: int
    values: int
    at: int  # where the value is, for the short whole numbers that matter here


def upright_exif(block: bytes, width: int, height: int) -> bytes:
    """The block of a picture whose pixels are turned already: orientation 1, no thumbnail, this size.

    Args:
        block: TIFF structure without prefix.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.

    Raises:
        ValueError: The block is damaged.
    """
    if block[:4] not in (b"II*\x00", b"MM\x00*"):
        raise ValueError("an EXIF block starts with a TIFF header")
    data, order = bytearray(block), "<" if block[:2] == b"II" else ">"
    try:
        (first,) = struct.unpack_from(order + "L", data, 4)
        check_extent(data, first, order)
        entries = list(_entries(data, first, order))
        for entry in list(entries):
            if entry.tag == _EXIF_DIRECTORY:
                entries += _entries(data, _number(data, entry, order), order)
        for entry in entries:
            if entry.tag == _ORIENTATION:
                _set(data, entry, 1, order)
            elif entry.tag in _WIDTHS | _HEIGHTS:
                _set(data, entry, width if entry.tag in _WIDTHS else height, order)
        return _without_thumbnail(data, first, order)
    except struct.error:
        raise ValueError("an EXIF directory points outside its block") from None


def check_extent(data: _Bytes, first: int, order: str) -> None:
    """Refuse directories that lead back to each other or are endless, or whose entries share their values.

    Reading each entry of such a block takes far more time or memory than its size lets one expect.

    Args:
        data: TIFF structure of the classic kind.
        first: Offset of the directory to start with; those below it and the one after it are followed.
        order: `"<"` or `">"`.

    Raises:
        ValueError: All that the directories hold is more than twice as large as the data, they have more than 4,096
            entries together, or one of them is reached twice.
        struct.error: A directory points outside the data.
    """
    total, entries, waiting, seen = 0, 0, [first], set[int]()
    while waiting:
        at = waiting.pop()
        if at in seen:
            raise ValueError("directories of metadata lead back to themselves")
        seen.add(at)
        (count,) = struct.unpack_from(order + "H", data, at)
        entries += count
        if entries > _MOST_ENTRIES:
            raise ValueError("directories of metadata have too many entries")
        for entry in _entries(data, at, order):
            total += _ENTRY_BYTES + VALUE_SIZES.get(entry.kind, 1) * entry.values
            if total > 2 * len(data):
                raise ValueError("directories of metadata overlap")
            if entry.tag in _SUB_DIRECTORIES:
                waiting.append(_number(data, entry, order))
        if at == first:
            (following,) = struct.unpack_from(order + "L", data, at + 2 + _ENTRY_BYTES * count)
            waiting += [following] if following else []


def with_valid_orientation(tiff: bytes) -> bytes:
    """A TIFF file all of whose pages say upright, for one that says what the standard does not know.

    Raises:
        ValueError: A directory is damaged.
    """
    data, order = bytearray(tiff), "<" if tiff[:2] == b"II" else ">"
    seen = set[int]()
    try:
        (at,) = struct.unpack_from(order + "L", data, 4)
        while at and at not in seen:
            seen.add(at)
            entries = list(_entries(data, at, order))
            for entry in entries:
                if entry.tag == _ORIENTATION:
                    _set(data, entry, 1, order)
            (at,) = struct.unpack_from(order + "L", data, at + 2 + 12 * len(entries))
    except struct.error:
        raise ValueError("a TIFF directory points outside its file") from None
    return bytes(data)


def upright_xmp(packet: bytes) -> bytes:
    """The packet with its own statement of the orientation, if it makes one, set to upright."""
    return re.sub(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)[2-8](?=\s*[\"'<])", rb"\g<1>1", packet)


def _entries(data: _Bytes, at: int, order: str) -> Iterator[_Entry]:
    (count,) = struct.unpack_from(order + "H", data, at)
    for place in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, values, _ = struct.unpack_from(order + "HHLL", data, place)
        yield _Entry(tag, kind, values, place + 8)


def _number(data: _Bytes, entry: _Entry, order: str) -> int:
    (value,) = struct.unpack_from(order + ("H" if entry.kind == _SHORT else "L"), data, entry.at)
    return value


def _set(data: bytearray, entry: _Entry, value: int, order: str) -> None:
    """Change a whole number; a short that is too small for it becomes a long in the same four bytes."""
    if entry.kind == _SHORT and value < 1 << 16:
        struct.pack_into(order + "H", data, entry.at, value)
    else:
        struct.pack_into(order + "H", data, entry.at - 6, _LONG)
        struct.pack_into(order + "L", data, entry.at, value)


def _without_thumbnail(data: bytearray, first: int, order: str) -> bytes:
    """Unlink the second directory and blank the small picture it names: it shows the photo as it was before."""
    (count,) = struct.unpack_from(order + "H", data, first)
    link = first + 2 + 12 * count
    (second,) = struct.unpack_from(order + "L", data, link)
    if not second:
        return bytes(data)
    struct.pack_into(order + "L", data, link, 0)
    numbers = {entry.tag: _number(data, entry, order) for entry in _entries(data, second, order)}
    start, length = numbers.get(_THUMBNAIL_OFFSET, 0), numbers.get(_THUMBNAIL_LENGTH, 0)
    end = min(start + length, len(data))
    if start and length and end > start:
        data[start:end] = bytes(end - start)
        if end == len(data):
            del data[start:]
    return bytes(data)
