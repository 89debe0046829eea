"""Contact sheets: the best, the median and the worst image of a run, side by side with what they should be."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from unblur.benchmarks.report.runs import Run
from unblur.benchmarks.rows import Row
from unblur.benchmarks.work import file_stem
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
        address: A `data:` address with the picture itself; empty: it was not kept.
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
        """The run kept its images."""
        return all(photo.address for photo in self.photos)


def make_sheet(run: Run, width: int) -> list[Strip]:
    """Best, median and worst by PSNR, of the images that did not fail.

    Args:
        run: A run; its pictures are there if it was made with `--save-images`.
        width: Of each picture, pixels.
    """
    scored = sorted((row for row in run.rows if row.psnr is not None), key=lambda row: -(row.psnr or -math.inf))
    if not scored:
        return []
    places = {"best": 0, "median": len(scored) // 2, "worst": len(scored) - 1}
    return [_strip(run, rank, scored[place], width) for rank, place in places.items()]


def _strip(run: Run, rank: str, row: Row, width: int) -> Strip:
    file = f"{file_stem(row.index, row.image)}.png"
    photos = [
        Photo(caption, _address(place / file, width, "photo"))
        for caption, place in (
            ("blurry", run.folder / "pairs" / "blurry"),
            ("restored", run.folder / "images" / run.shelf),
            ("sharp", run.folder / "pairs" / "sharp"),
        )
    ]
    kernels = [
        Photo(caption, _address(place / file, _KERNEL_WIDTH, "kernel"))
        for caption, place in (
            ("kernel found", run.folder / "kernels" / run.shelf),
            ("true kernel", run.folder / "pairs" / "kernels"),
        )
    ]
    return Strip(rank, row, tuple(photos), tuple(kernel for kernel in kernels if kernel.address))


@lru_cache(maxsize=256)
def _address(path: Path, width: int, kind: str) -> str:
    """The picture as a `data:` address of that width; empty where there is none that can be read."""
    try:
        working = to_working(read_image(path))
    except ImageError:
        return ""
    pixels = (working * 255).round().astype(np.uint8)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    height = max(1, round(image.height * width / image.width))
    file = io.BytesIO()
    if kind == "kernel":  # the pixels of a kernel are meant to be seen
        image.resize((width, height), Image.Resampling.NEAREST).save(file, "PNG")
        return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    if image.width > width:
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    image.save(file, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
