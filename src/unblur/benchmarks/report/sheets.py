"""Contact sheets: the best, the median and the worst image of a run beside the truth."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unblur.benchmarks.pair_run import file_stem
from unblur.benchmarks.report.runs import Run
from unblur.benchmarks.rows import Row
from unblur.errors import ImageError
from unblur.images.files import read_image
from unblur.images.working import to_working

__all__ = ["Photo", "Strip", "make_sheet"]

_KERNEL_WIDTH = 96
_QUALITY = 82


@dataclass(frozen=True)
class Photo:
    """One picture of a strip.

    Attributes:
        caption: What it shows.
        address: `data:` address with the picture; empty: it was not kept.
    """

    caption: str
    address: str


@dataclass(frozen=True)
class Strip:
    """One image of a run.

    Attributes:
        rank: Best, median or worst.
        row: Its measurements.
        photos: Blurry, restored, sharp.
        kernels: Found and true, those that are there.
    """

    rank: str
    row: Row
    photos: tuple[Photo, ...]
    kernels: tuple[Photo, ...]

    @property
    def has_photos(self) -> bool:
        """Whether the run kept its images."""
        return all(photo.address for photo in self.photos)


def make_sheet(run: Run, width: int) -> list[Strip]:
    """Best, median and worst by PSNR, of the images that did not fail.

    Args:
        run: A run; its pictures are there if it was made with `--save-images`.
        width: Width of each picture, pixels.
    """
    scored = sorted((row for row in run.rows if row.psnr is not None), key=lambda row: -(row.psnr or -math.inf))
    if not scored:
        return []
    places = {"best": 0, "median": len(scored) // 2, "worst": len(scored) - 1}
    return [_strip(run, rank, scored[place], width) for rank, place in places.items()]


def _strip(run: Run, rank: str, row: Row, width: int) -> Strip:
    file = f"{file_stem(row.index, row.image)}.png"
    photos = [
        Photo(caption, _photo_address(place / file, width))
        for caption, place in (
            ("blurry", run.folder / "pairs" / "blurry"),
            ("restored", run.folder / "images" / run.subfolder),
            ("sharp", run.folder / "pairs" / "sharp"),
        )
    ]
    kernels = {
        "kernel found": _pixels(run.folder / "kernels" / run.subfolder / file),
        "true kernel": _pixels(run.folder / "pairs" / "kernels" / file),
    }
    side = max((max(pixels.shape) for pixels in kernels.values() if pixels is not None), default=0)
    shown = [Photo(caption, _kernel_address(pixels, side)) for caption, pixels in kernels.items() if pixels is not None]
    return Strip(rank, row, tuple(photos), tuple(shown))


@lru_cache(maxsize=256)
def _photo_address(path: Path, width: int) -> str:
    """The photo as a `data:` address, at most so wide; empty where there is none that can be read."""
    pixels = _pixels(path)
    if pixels is None:
        return ""
    image = Image.fromarray(pixels)
    if image.width > width:
        height = max(1, round(image.height * width / image.width))
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    return _encoded(image, "JPEG", quality=_QUALITY)


def _kernel_address(pixels: NDArray[np.uint8], side: int) -> str:
    """The kernel in the middle of a square of so many pixels, which found and true kernel share."""
    pixels = pixels if pixels.ndim == 2 else pixels[..., 0]
    above, left = (side - pixels.shape[0]) // 2, (side - pixels.shape[1]) // 2
    square = np.zeros((side, side), np.uint8)
    square[above : above + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    # enlarged without smoothing, so that the pixels of a kernel stay visible
    return _encoded(Image.fromarray(square).resize((_KERNEL_WIDTH, _KERNEL_WIDTH), Image.Resampling.NEAREST), "PNG")


def _pixels(path: Path) -> NDArray[np.uint8] | None:
    """`(H, W)` or `(H, W, 3)`; None where there is no image that can be read."""
    try:
        working = to_working(read_image(path))
    except ImageError:
        return None
    pixels = (working * 255).round().astype(np.uint8)
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def _encoded(image: Image.Image, form: str, **options: int) -> str:
    file = io.BytesIO()
    image.save(file, form, **options)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
