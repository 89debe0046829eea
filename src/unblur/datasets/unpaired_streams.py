"""Endless training samples of unpaired photos: blurry ones and sharp ones, in any numbers and sizes.

Sample n of a stream is the same whenever and wherever it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from unblur.blur.borders import Padding, pad_reflect
from unblur.datasets.image_files import read_tensor
from unblur.datasets.photos import photo_paths
from unblur.datasets.sampling import draw, generator_for
from unblur.errors import SettingsError

__all__ = ["SampleStream", "SemiSupervisedStream", "UnpairedStream", "paths_of"]


class SampleStream(Protocol):
    """Samples by number, as training asks for them."""

    def sample(self, index: int) -> dict[str, Tensor]:
        """Sample number `index`."""
        ...


class UnpairedStream:
    """Crops of blurry photos and, drawn independently, of sharp ones; each mirrored at random.

    A photo smaller than the crop is continued by its mirror image.

    Args:
        blurry: Folders of blurry photos.
        sharp: Folders of sharp photos of any scenes.
        size: Side of the crops in pixels.
        seed: Another seed is another stream.

    Raises:
        DataError: A folder is missing or holds no image.
        SettingsError: Crops of no size.
    """

    def __init__(self, blurry: Sequence[str], sharp: Sequence[str], *, size: int = 256, seed: int = 0) -> None:
        if size < 1:
            raise SettingsError(f"size takes a number of pixels of 1 or more, not {size}")
        self.blurry, self.sharp = _photos(blurry), _photos(sharp)
        self.size, self.seed = size, seed

    @property
    def paths(self) -> list[Path]:
        """Every photo, for the record of a run."""
        return [*self.blurry, *self.sharp]

    def sample(self, index: int) -> dict[str, Tensor]:
        """Sample number `index`: `unpaired_blurry` and `unpaired_sharp`, each `(3, size, size)`.

        Raises:
            ReadError: A photo that was drawn cannot be read; the message names it.
        """
        generator = generator_for(self.seed, index)
        return {
            "unpaired_blurry": self._crop(self.blurry, generator),
            "unpaired_sharp": self._crop(self.sharp, generator),
        }

    def _crop(self, paths: Sequence[Path], generator: torch.Generator) -> Tensor:
        photo = read_tensor(paths[draw(len(paths), generator)])
        down, right, mirrored = torch.rand(3, generator=generator).tolist()
        short = [max(self.size - side, 0) for side in photo.shape[-2:]]
        if any(short):
            photo = pad_reflect(photo, Padding(0, short[1], 0, short[0]))
        height, width = photo.shape[-2:]
        top, left = int(down * (height - self.size + 1)), int(right * (width - self.size + 1))
        crop = photo[0, :, top : top + self.size, left : left + self.size].expand(3, -1, -1)
        return (crop.flip(-1) if mirrored < 0.5 else crop).contiguous()


class SemiSupervisedStream:
    """Samples of two streams in one: pairs, and unpaired photos.

    Args:
        paired: Gives `blurry` and `sharp`.
        unpaired: Gives `unpaired_blurry` and `unpaired_sharp` of the same size.
    """

    def __init__(self, paired: SampleStream, unpaired: SampleStream) -> None:
        self.paired, self.unpaired = paired, unpaired

    @property
    def paths(self) -> list[Path]:
        """Every photo of the two streams, for the record of a run."""
        return [path for stream in (self.paired, self.unpaired) for path in paths_of(stream)]

    def sample(self, index: int) -> dict[str, Tensor]:
        """Sample number `index` of both.

        Raises:
            ReadError: A photo that was drawn cannot be read; the message names it.
        """
        return self.paired.sample(index) | self.unpaired.sample(index)


def _photos(folders: Sequence[str]) -> list[Path]:
    if not folders:
        raise SettingsError("name at least one folder of blurry photos, and one of sharp ones")
    return photo_paths(folders)


def paths_of(stream: Any) -> Sequence[Path]:
    """The photos of a stream; none where it does not say."""
    return getattr(stream, "paths", ())
