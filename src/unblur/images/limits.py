"""How much one file may cost to read."""

from __future__ import annotations

from dataclasses import dataclass

from unblur.errors import TooLargeError

__all__ = ["MOST_PAGES", "Limits", "check_page_count", "check_size", "check_total_size", "keep_small_blocks"]

_PAGES_FULL = 10
"""All pages of a file together may have so many times the pixels of one."""
MOST_PAGES = 10_000
"""Pages or frames of one file."""
_LARGEST_BLOCK = 16 << 20
"""Bytes of a block of metadata. Profiles of printers have up to a few million, EXIF in JPEG 65 thousand."""


@dataclass(frozen=True)
class Limits:
    """Bounds on one file; what is over them is refused, as early as it can be known.

    Attributes:
        max_pixels: Width times height, known from the header before any pixel is decoded.
        max_bytes: Size of the file itself.
        cpu_seconds: Processor time for decoding. A small file can ask for hours, such as a JPEG of 2000 scans.
        memory: Bytes of address space that decoding may add to the worker process.
    """

    max_pixels: int = 100_000_000
    max_bytes: int = 2 << 30
    cpu_seconds: int = 30
    memory: int = 2 << 30


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse a picture by what its header says.

    Raises:
        TooLargeError: More pixels than allowed.
    """
    if width * height > max_pixels:
        raise TooLargeError(
            f"has {width} x {height} pixels ({width * height / 1e6:.0f} million); "
            f"{max_pixels / 1e6:.0f} million are allowed"
        )


def check_page_count(pages: int) -> None:
    """Refuse a file of very many pages or frames, each of which may cost a walk over all before it.

    Raises:
        TooLargeError: More than 10,000.
    """
    if pages > MOST_PAGES:
        raise TooLargeError(f"has more than {MOST_PAGES} pages or frames, which is the most that is allowed")


def keep_small_blocks(blocks: dict[str, bytes], notes: list[str]) -> dict[str, bytes]:
    """Blocks of metadata by name, without those of more than 16 MB; a note says which."""
    for name, block in blocks.items():
        if len(block) > _LARGEST_BLOCK:
            notes.append(
                f"the {name.upper()} block of {len(block) / 1e6:.0f} MB is not kept; "
                f"{_LARGEST_BLOCK / 1e6:.0f} MB are allowed"
            )
    return {name: block if len(block) <= _LARGEST_BLOCK else b"" for name, block in blocks.items()}


def check_total_size(width: int, height: int, pages: int, max_pixels: int) -> None:
    """Refuse a file of many pages, taken as large as its first one.

    Raises:
        TooLargeError: Together more than ten times the pixels that one page may have.
    """
    if pages * width * height > _PAGES_FULL * max_pixels:
        raise TooLargeError(
            f"has {pages} pages or frames of {width} x {height} pixels; "
            f"{_PAGES_FULL * max_pixels / 1e6:.0f} million pixels are allowed together"
        )
