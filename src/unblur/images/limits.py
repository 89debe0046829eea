"""How much one file may cost to read."""

from __future__ import annotations

from dataclasses import dataclass

from unblur.errors import TooLargeError

__all__ = ["Limits", "check_size", "check_total_size"]


_PAGES_FULL = 10
"""All pages of a file together may have so many times the pixels of one."""


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
