"""Which pages or frames a file has, and frames that libvips does not read. Run in the sandbox alone."""

from __future__ import annotations

import os
import re
from typing import Any

import pyvips
from PIL import Image, PngImagePlugin

from unblur.errors import ReadError
from unblur.images.tiff_structure import Directory, is_page, read_directories

__all__ = ["describe_pages", "find_pages", "read_frame", "skipped_directories"]

_LONE_IMAGEJ_LINE = re.compile(r"^(images|slices|frames|channels|hyperstack|loop)=.*\n?", re.MULTILINE)
_SHAPE_OF_ONE_PAGE = re.compile(r'\{"shape": \[\d+, \d+(, [1-4])?\]')
"""Height, width and channels, as tifffile notes them for a photo."""
_PAGES_OF_IMAGEJ = re.compile(r"^images=(\d+)", re.MULTILINE)


_latest: dict[tuple[int, ...], list[Directory]] = {}
"""Pages of the file that was asked for last: each of a thousand would else cost a walk over all of them."""


def find_pages(source: int) -> list[Directory]:
    """A TIFF's directories that are pages, and no reduced copies or masks; empty where none can be read."""
    state = os.fstat(source)
    identity = state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
    if identity not in _latest:
        _latest.clear()
        _latest[identity] = [directory for directory in read_directories(source) if is_page(directory)]
    return _latest[identity]


def skipped_directories(source: int) -> int:
    """How many of a TIFF's directories are reduced copies or masks."""
    return sum(not is_page(directory) for directory in read_directories(source))


def describe_pages(description: str, pages: int) -> str:
    """A TIFF's description, true of a file of so many pages; empty where nothing of it would be.

    Programs for microscopes count and arrange their pages there.
    """
    if description.startswith("ImageJ="):
        claimed = _PAGES_OF_IMAGEJ.search(description)
        is_true = int(claimed[1]) == pages if claimed else pages == 1
        return description if is_true else _LONE_IMAGEJ_LINE.sub("", description)
    if _SHAPE_OF_ONE_PAGE.match(description):
        return description
    speaks_of_pages = description.startswith('{"shape"') or "<OME" in description
    return "" if speaks_of_pages and pages == 1 else description


def read_frame(source: int, kind: str, page: int) -> tuple[Any, dict[str, int]]:
    """A frame of an animated PNG or of an AVIF sequence as a libvips image, and what the header says of its time.

    Raises:
        ReadError: A PNG of 16 bits, of which Pillow gives 8.
    """
    with os.fdopen(os.dup(source), "rb") as file:
        file.seek(0)
        with Image.open(file, formats=[kind.upper()]) as image:
            if isinstance(image, PngImagePlugin.PngImageFile):
                if os.pread(source, 1, 24) == b"\x10":
                    raise ReadError("has frames of 16 bits, of which only the first can be read")
                page += bool(image.default_image)  # a picture for viewers that know no animations
            image.seek(page)
            image.load()
            has_alpha = "A" in image.getbands() or "transparency" in image.info
            mode = "L" if image.mode == "L" and not has_alpha else "RGBA" if has_alpha else "RGB"
            pixels = image.convert(mode)
            time = {"duration": round(float(image.info.get("duration", 0))), "loop": int(image.info.get("loop", 0))}
    frame: Any = pyvips.Image.new_from_memory(pixels.tobytes(), *pixels.size, len(mode), "uchar")
    return frame.copy(interpretation="b-w" if mode == "L" else "srgb"), time
