"""What kind of image some bytes are, by content and never by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from unblur.errors import FormatError, ReadError
from unblur.images.unsupported import HEIC, RAW, can_read_heif, can_read_raw, kind_of_head

__all__ = ["HEAD_BYTES", "KINDS", "Format", "Frames", "extension_of", "format_of_bytes", "format_of_name"]

KINDS = "JPEG, PNG, TIFF, WebP, BMP, GIF or AVIF"
HEAD_BYTES = 512
Format = Literal["jpeg", "png", "tiff", "webp", "bmp", "gif", "avif", "heif"]
"""Formats that are written."""
Frames = Literal["auto", "all", "first"]
"""Which pages or frames of a file are meant: all of documents and the first of animations, all, or the first."""

_STARTS = {
    b"\xff\xd8\xff": "jpeg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"II*\x00": "tiff",
    b"MM\x00*": "tiff",
    b"II+\x00": "tiff",
    b"MM\x00+": "tiff",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
}
_BMP_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)
_EXTENSIONS = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".jpe": "jpeg",
    ".png": "png",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".webp": "webp",
    ".bmp": "bmp",
    ".gif": "gif",
    ".avif": "avif",
    ".heic": "heif",
    ".heif": "heif",
}


def format_of_bytes(head: bytes) -> str:
    """The format that the first bytes of a file announce.

    Args:
        head: The first `HEAD_BYTES` bytes, or all of a shorter file.

    Raises:
        ReadError: None of the formats that are read.
    """
    is_cr2 = head[8:10] == b"CR" and head[:4] == b"II*\x00"
    for start, name in _STARTS.items():
        if head.startswith(start) and not is_cr2:
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return "bmp"
    if head[4:8] == b"ftyp" and _brands(head) & {b"avif", b"avis"}:
        return "avif"
    kind = kind_of_head(head)
    if kind is HEIC and can_read_heif():
        return "heif"
    if kind is RAW and can_read_raw():
        return "raw"
    raise ReadError(_what_else(head))


def extension_of(format: str) -> str:  # noqa: A002
    """The usual extension of a format that is written, with its dot."""
    return next(extension for extension, name in _EXTENSIONS.items() if name == format)


def format_of_name(path: str | os.PathLike[str]) -> str:
    """The format that an output's extension asks for.

    Raises:
        FormatError: An extension that stands for no format that is written.
    """
    extension = Path(path).suffix
    if extension.lower() not in _EXTENSIONS:
        known = ", ".join(_EXTENSIONS)
        named = f"the extension {extension!a} stands for no format" if extension else "has no extension, so no format"
        raise FormatError(f"{named} that is written; use one of {known}")
    return _EXTENSIONS[extension.lower()]


def _brands(head: bytes) -> set[bytes]:
    """Major and compatible brands of an ISO media file."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12]} | {head[at : at + 4] for at in range(16, end - 3, 4)}


def _what_else(head: bytes) -> str:
    """Why bytes of no known format are refused; the commonest mistakes get their own sentence."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "is empty"
    if text.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer and not the image itself; fetch it with: git lfs pull"
    if text.startswith((b"<!doctype html", b"<html")):
        return "is a web page and not an image; the download went wrong"
    if (kind := kind_of_head(head)) is not None:
        return kind.sentence
    return f"is not an image of a kind that is read ({KINDS})"
