"""Photos too large to be held as numbers: made of their stored pixels part by part, and written strip by strip.

A `LargePhoto` is indexed by rows and columns as a tensor `(1, C, H, W)` is, and gives a tensor of that part alone. What
changes each pixel by itself, or only a photo's size, is done when a part is asked for; the numbers are those that the
whole photo would have.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from mmap import mmap
from types import EllipsisType
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from unblur.images.picture import Picture
from unblur.images.tensors import array_to_tensor, brightness
from unblur.images.working import to_working
from unblur.system.scratch import LARGE as LARGE_BYTES
from unblur.system.scratch import disk_file, reserve

__all__ = [
    "LARGE",
    "Image",
    "LargePhoto",
    "StripImage",
    "apply",
    "brightness_of",
    "enlarged",
    "room_like",
    "strips_of",
    "thin",
]

LARGE = 4_000_000
"""Photos of more pixels are restored part by part, where the method can."""
_STRIP = 500_000
"""Pixels of a strip, about."""

Rows = slice
Columns = slice


@dataclass(frozen=True)
class StripImage:
    """An image that comes strip by strip, from the top to the bottom.

    Attributes:
        shape: `(1, C, H, W)`.
        make: Begins anew with the first strip `(1, C, h, W)`, floating point.
    """

    shape: tuple[int, int, int, int]
    make: Callable[[], Iterator[Tensor]]

    def strips(self) -> Iterator[Tensor]:
        """All strips, in their order."""
        return self.make()

    def mapped(self, change: Callable[[Tensor], Tensor], channels: int | None = None) -> StripImage:
        """The image with every pixel changed by itself; see `LargePhoto.mapped`."""
        return StripImage(_with_channels(self.shape, channels), lambda: map(change, self.make()))


@dataclass(frozen=True)
class LargePhoto:
    """A photo of which parts are read: `photo[..., rows, columns]` with slices, as of a tensor.

    Attributes:
        shape: `(1, C, H, W)`.
        read: The part of some rows and columns, float32, in [0, 1], sRGB-encoded unless it was mapped.
        device: Where the parts are.
    """

    shape: tuple[int, int, int, int]
    read: Callable[[Rows, Columns], Tensor]
    device: torch.device
    dtype = torch.float32

    @classmethod
    def of(cls, picture: Picture, device: str = "cpu") -> LargePhoto:
        """The colours of a picture, as `to_working` has them; see `can_be_parted`."""

        def read(rows: Rows, columns: Columns) -> Tensor:
            part = replace(picture, pixels=picture.pixels[rows, columns])
            return array_to_tensor(to_working(part)).to(device)

        channels = 1 if picture.space == "grey" else 3
        return cls((1, channels, picture.height, picture.width), read, torch.device(device))

    @staticmethod
    def can_be_parted(picture: Picture) -> bool:
        """Whether each part of it has the numbers that it has in the whole.

        Not where the largest value decides the scale, or hidden colours are filled from what lies around them.
        """
        return picture.pixels.dtype.kind == "u" and (picture.alpha is None or bool(picture.alpha.all()))

    def __getitem__(self, places: tuple[EllipsisType | slice, ...]) -> Tensor:
        rows, columns = places[-2:]
        if not (isinstance(rows, slice) and isinstance(columns, slice)):
            raise TypeError("a large photo is indexed by slices of rows and columns")
        return self.read(rows, columns)

    def numel(self) -> int:
        """Number of values."""
        return self.shape[1] * self.shape[2] * self.shape[3]

    def strips(self, multiple: int = 1) -> Iterator[Tensor]:
        """All of it, some rows at a time: multiples of so many, but for the last."""
        rows = max(1, _STRIP // self.shape[3] // multiple) * multiple
        for top in range(0, self.shape[2], rows):
            yield self[..., top : top + rows, :]

    def part(self, box: tuple[int, int, int, int]) -> LargePhoto:
        """A rectangle of it: left, top, width, height."""
        left, top, width, height = box

        def read(rows: Rows, columns: Columns) -> Tensor:
            return self.read(_moved(rows, top, height), _moved(columns, left, width))

        return replace(self, shape=(*self.shape[:2], height, width), read=read)

    def with_part(self, box: tuple[int, int, int, int], image: Image | StripImage) -> StripImage:
        """The photo with an image of a rectangle of it in its place."""
        left, top, width, _ = box

        def make() -> Iterator[Tensor]:
            row = top
            yield from self.part((0, 0, self.shape[3], top)).strips()
            for strip in strips_of(image):
                whole = self[..., row : row + strip.shape[2], :].clone()
                whole[..., left : left + width] = strip
                yield whole
                row += strip.shape[2]
            yield from self.part((0, row, self.shape[3], self.shape[2] - row)).strips()

        return StripImage(self.shape, make)

    def mapped(self, change: Callable[[Tensor], Tensor], channels: int | None = None) -> LargePhoto:
        """The photo with every pixel changed by itself.

        Args:
            change: Applied to each part that is read.
            channels: How many there are afterwards; None: as many as before.
        """

        def read(rows: Rows, columns: Columns) -> Tensor:
            return change(self.read(rows, columns))

        return replace(self, shape=_with_channels(self.shape, channels), read=read)

    def at_size(self, size: tuple[int, int], mode: Literal["bicubic", "bilinear"]) -> Tensor:
        """The photo at a smaller height and width, without aliasing, to the last bit as `interpolate` makes it."""
        # That takes columns first, too.
        strips = (_interpolated(strip, (strip.shape[2], size[1]), mode) for strip in self.strips())
        return _interpolated(torch.cat(list(strips), 2), size, mode)

    def plus(self, other: LargePhoto) -> LargePhoto:
        """The sum of two photos of one size."""

        def read(rows: Rows, columns: Columns) -> Tensor:
            return self.read(rows, columns) + other.read(rows, columns)

        return replace(self, read=read)


Image = Tensor | LargePhoto
"""What is read by rows and columns."""


def room_like(pixels: NDArray[Any]) -> NDArray[Any]:
    """An array for pixels of that shape and type: of many, in a file on the disk, if there is room."""
    if pixels.nbytes >= LARGE_BYTES and (file := disk_file()) is not None:
        try:
            if reserve(file, pixels.nbytes):
                return np.frombuffer(mmap(file, pixels.nbytes), pixels.dtype).reshape(pixels.shape)
        finally:
            os.close(file)
    return np.empty_like(pixels)


def strips_of(image: Image | StripImage) -> Iterator[Tensor]:
    """The image strip by strip."""
    return thin([image]) if isinstance(image, Tensor) else image.strips()


def thin(strips: Iterable[Tensor]) -> Iterator[Tensor]:
    """The same rows in strips that are no larger than those of a `LargePhoto`."""
    for strip in strips:
        yield from strip.split(max(1, _STRIP // strip.shape[3]), 2)
        del strip  # not held while the next one is made


def apply(image: Image, change: Callable[[Tensor], Tensor], channels: int | None = None) -> Image:
    """The image with every pixel changed by itself, now or when it is read; see `LargePhoto.mapped`."""
    return image.mapped(change, channels) if isinstance(image, LargePhoto) else change(image)


def brightness_of(image: Image) -> Image:
    """See `brightness`."""
    return apply(image, brightness, 1)


def enlarged(image: Float[Tensor, "1 c h w"], size: tuple[int, int]) -> LargePhoto:
    """The image at a larger size as bicubic interpolation makes it, to rounding, in parts."""
    # Each of its rows is a sum of a few rows of the image, in the shares that one-hot rows become.
    one_hot = torch.eye(image.shape[-2], dtype=image.dtype, device=image.device)[None, None]
    shares = _interpolated(one_hot, (size[0], image.shape[-2]), "bicubic")[0, 0]

    def read(rows: Rows, places: Columns) -> Tensor:
        wanted = shares[rows]
        used = wanted.any(0).nonzero().flatten()
        first, last = int(used[0]), int(used[-1]) + 1
        mixed = wanted[:, first:last] @ image[..., first:last, :]
        return _interpolated(mixed, (mixed.shape[2], size[1]), "bicubic")[..., places]

    return LargePhoto((1, image.shape[1], *size), read, image.device)


def _interpolated(image: Tensor, size: tuple[int, int], mode: str) -> Tensor:
    return F.interpolate(image, size, mode=mode, antialias=True)


def _moved(places: slice, start: int, size: int) -> slice:
    """Places in a part of a line as those in the line."""
    first, last, step = places.indices(size)
    return slice(start + first, start + last, step)


def _with_channels(shape: tuple[int, int, int, int], channels: int | None) -> tuple[int, int, int, int]:
    return shape if channels is None else (shape[0], channels, *shape[2:])
