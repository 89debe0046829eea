"""EXIF and IPTC put into a TIFF file that libvips wrote, which has the pixels' own tags and none of the camera's."""

from __future__ import annotations

import struct
import warnings

from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

__all__ = ["EMPTY_TIFF", "embed_exif", "embed_iptc"]

EMPTY_TIFF = b"II*\x00\x08\x00\x00\x00" + bytes(6)
"""A TIFF file of one directory without entries, to try an EXIF block on."""

_BYTE, _ASCII, _LONG = 1, 2, 4
_IPTC = 33723
_TEXTS = (270, 271, 272, 305, 306, 315, 316, 33432)
_DIRECTORIES = (0x8769, 0x8825)  # EXIF, GPS


def embed_exif(tiff: bytes, block: bytes) -> bytes:
    """The file with a new first directory at its end: all old entries as they are, and the block's.

    Args:
        tiff: A little-endian classic TIFF of one page.
        block: EXIF as a TIFF structure. Its own tags on size and orientation are left out.

    Raises:
        ValueError: The block is damaged, or the file would be too long for the classic kind.
    """
    if tiff[:4] != b"II*\x00" or len(tiff) + 2 * len(block) > 0xFFFFFFFF:
        raise ValueError("EXIF is put into little-endian TIFF files of up to 4 GB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _embed(tiff, block)
    except Exception as error:  # Pillow's parser raises nearly everything on damaged blocks
        raise ValueError("the EXIF block is damaged") from error


def embed_iptc(tiff: bytes, block: bytes) -> bytes:
    """The file with a new first directory at its end: all old entries as they are, and the block (libvips cuts it).

    Args:
        tiff: A little-endian classic TIFF of one page.
        block: IPTC as it stands in a TIFF, of more than four bytes.
    """
    data, entries = bytearray(tiff), _entries(tiff)
    entries[_IPTC] = struct.pack("<HHLL", _IPTC, _BYTE, len(block), _even_end(data))
    data += block
    return _with_directory(data, entries)


def _embed(tiff: bytes, block: bytes) -> bytes:
    exif = Image.Exif()
    exif.load(block)
    data = bytearray(tiff)
    entries = _entries(tiff)
    for tag in _TEXTS:
        if isinstance(text := exif.get(tag), str):
            entries[tag] = _text(data, tag, text)
    for tag in _DIRECTORIES:
        if values := exif.get_ifd(tag):
            directory = ImageFileDirectory_v2(b"II*\x00\x00\x00\x00\x00", group=tag)
            for key, value in values.items():
                directory[key] = value
            entries[tag] = struct.pack("<HHLL", tag, _LONG, 1, _even_end(data))
            data += directory.tobytes(len(data))
    return _with_directory(data, entries)


def _with_directory(data: bytearray, entries: dict[int, bytes]) -> bytes:
    """The file, completed by a directory of these entries as its first."""
    struct.pack_into("<L", data, 4, _even_end(data))
    data += struct.pack("<H", len(entries)) + b"".join(entries[tag] for tag in sorted(entries)) + bytes(4)
    return bytes(data)


def _entries(tiff: bytes) -> dict[int, bytes]:
    """The first directory's entries as they are; their offsets stay true because nothing moves."""
    (at,) = struct.unpack_from("<L", tiff, 4)
    (count,) = struct.unpack_from("<H", tiff, at)
    places = range(at + 2, at + 2 + 12 * count, 12)
    return {int.from_bytes(tiff[place : place + 2], "little"): tiff[place : place + 12] for place in places}


def _text(data: bytearray, tag: int, text: str) -> bytes:
    """An entry for a text; one that does not fit into four bytes goes to the end of the file."""
    value = text.encode("utf-8", "replace") + b"\x00"
    if len(value) <= 4:
        return struct.pack("<HHL", tag, _ASCII, len(value)) + value.ljust(4, b"\x00")
    entry = struct.pack("<HHLL", tag, _ASCII, len(value), _even_end(data))
    data += value
    return entry


def _even_end(data: bytearray) -> int:
    """Offset of what is appended next; TIFF wants it even."""
    data += bytes(len(data) % 2)
    return len(data)
