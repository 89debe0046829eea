"""Seconds and memory of `unblur restore` against the size of a photo, from 1 to 100 megapixels.

    python speed/memory.py FOLDER --method map
    python speed/memory.py FOLDER --method map --megapixels 4 16 50 99 --with=--solver=wiener --with=--kernel=K.png

The photos are mosaics of those in FOLDER, each enlarged twice, under one camera shake of 25 pixels in linear light, as
JPEG at quality 90. Printed are whole commands, start and files included: seconds of processor time, and the largest
resident memory of any of their processes. `--growing` gives the shake the same share of every photo's width.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
import torch
from photos import measure
from PIL import Image

from unblur.blur.convolve import convolve
from unblur.blur.trajectories import sample_motion_kernel
from unblur.images.large import LargePhoto
from unblur.images.picture import Picture
from unblur.images.tensors import linear_to_srgb, srgb_to_linear

_SIDE, _WIDTH = 25, 1155
"""Box of the shake in pixels; width of the photo of a megapixel, where a shake that grows begins with it."""
_LARGEST_EXPONENT = 1.1
_FIXED_MB, _BYTES_PER_PIXEL, _LARGEST_MB = 1200.0, 15.0, 2500.0
"""Peak memory that must not be exceeded: MB, and bytes for each pixel; and MB in all, up to 100 megapixels."""


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("folder", type=Path)
    words.add_argument("--method", default="map")
    words.add_argument("--megapixels", type=float, nargs="+", default=[1, 4, 16, 50, 99])
    words.add_argument("--growing", action="store_true")
    words.add_argument("--with", dest="options", action="append", default=[], help="a further option of the command")
    given = words.parse_args()
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for megapixels in given.megapixels:
            photo = Path(folder, f"{megapixels:g}MP.jpg")
            _make(given.folder, megapixels, photo, growing=given.growing)
            run = measure(photo.stem, photo, given.method, Path(folder, "out.jpg"), ["--quiet", *given.options])
            peak, bar = run.peak_mb * 2**20 / 1e6, min(_LARGEST_MB, _FIXED_MB + _BYTES_PER_PIXEL * megapixels)
            seconds.append(run.processor_seconds)
            print(
                f"{megapixels:6g} MP  {run.processor_seconds:8.1f} s ({run.seconds:.1f} s by the clock)"
                f"  {peak:7.0f} MB, {'within' if peak <= bar else 'above'} {bar:.0f}",
                flush=True,
            )
    if len(seconds) > 1:
        exponent = float(np.polyfit(np.log(given.megapixels), np.log(seconds), 1)[0])
        print(f"seconds grow as the megapixels to the power {exponent:.2f}; {_LARGEST_EXPONENT} at most was asked for")


def _make(folder: Path, megapixels: float, path: Path, *, growing: bool) -> None:
    width = math.floor(math.sqrt(megapixels * 1e6 * 4 / 3))
    mosaic = Picture(_mosaic(folder, math.floor(megapixels * 1e6 / width), width), "rgb")
    side = round(_SIDE * width / _WIDTH) // 2 * 2 + 1 if growing else _SIDE
    kernel = sample_motion_kernel(side, torch.Generator().manual_seed(1), length=(0.7 * side, side))
    photo, rows = LargePhoto.of(mosaic), 512
    blurry = np.empty_like(mosaic.pixels)
    for top in range(0, mosaic.height, rows):
        first = max(0, top - side)
        part = convolve(srgb_to_linear(photo[..., first : top + rows + side, :]), kernel, "reflect")
        shown = 255 * linear_to_srgb(part.clamp(0, 1))[0, :, top - first :][:, :rows]
        blurry[top : top + rows] = shown.round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(blurry).save(path, quality=90)


def _mosaic(folder: Path, height: int, width: int) -> np.ndarray:
    pixels = np.empty((height, width, 3), np.uint8)
    photos = _enlarged(folder)
    top = 0
    while top < height:
        left, lowest = 0, height
        while left < width:
            one = next(photos)[: height - top, : width - left]
            pixels[top : top + one.shape[0], left : left + one.shape[1]] = one
            left, lowest = left + one.shape[1], min(lowest, one.shape[0])
        top += lowest
    return pixels


def _enlarged(folder: Path) -> Iterator[np.ndarray]:
    """The photos of the folder, all lying, over and over."""
    for path in cycle(sorted(folder.rglob("*.jpg"))):
        with Image.open(path) as image:
            lying = image if image.width >= image.height else image.rotate(90, expand=True)
            yield np.asarray(lying.convert("RGB").resize((2 * lying.width, 2 * lying.height), Image.Resampling.LANCZOS))


if __name__ == "__main__":
    main()
