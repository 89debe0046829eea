"""What training streams share: seeded draws, random crops, photos kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from unblur.datasets.image_files import read_tensor
from unblur.datasets.synthesis import seed_for
from unblur.errors import ShapeError

__all__ = ["DecodedPhotos", "draw", "generator_for", "random_crop"]

_BORDER = 2
"""Outermost pixels of a photo that are left out: some cameras leave them black."""


class DecodedPhotos:
    """Photos without their outermost pixels; once decoded they are kept in memory, one byte a value, up to a limit.

    Args:
        convert: Applied to each photo `(1, 1 or 3, H, W)` after decoding.
        most: Bytes that are kept; then the photos that were decoded first are decoded anew.
    """

    def __init__(self, convert: Callable[[Tensor], Tensor], most: int = 2**30) -> None:
        self._convert, self._most = convert, most
        self._decoded: dict[Path, Tensor] = {}
        self._kept = 0

    def __getitem__(self, path: Path) -> Tensor:
        """The photo `(1, C, H, W)` in [0, 1].

        Raises:
            ReadError: It cannot be read; the message names it.
        """
        if path not in self._decoded:
            inner = read_tensor(path)[..., _BORDER:-_BORDER, _BORDER:-_BORDER]
            photo = self._convert(inner).mul(255).round().byte()
            self._kept += photo.numel()
            while self._decoded and self._kept > self._most:
                self._kept -= self._decoded.pop(next(iter(self._decoded))).numel()
            self._decoded[path] = photo
        return self._decoded[path].float() / 255


def generator_for(seed: int, index: int) -> torch.Generator:
    """The random numbers of sample number `index` of a stream."""
    return torch.Generator().manual_seed(seed_for(seed, str(index)))


def draw(count: int, generator: torch.Generator) -> int:
    """A random number from 0 to `count - 1`."""
    return int(torch.randint(count, (), generator=generator))


def random_crop(images: Sequence[Tensor], size: int, generator: torch.Generator) -> list[Tensor]:
    """The same random square of each image.

    Raises:
        ShapeError: The images are smaller.
    """
    height, width = images[0].shape[-2:]
    if min(height, width) < size:
        raise ShapeError(f"a crop of {size} pixels does not fit into {width}x{height}")
    top, left = draw(height - size + 1, generator), draw(width - size + 1, generator)
    return [image[..., top : top + size, left : left + size] for image in images]
