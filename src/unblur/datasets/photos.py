"""Unpaired photos: sharp ones to blur or to train on, blurry ones to inspect, and sets of both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from torch import Tensor

from unblur.datasets.folders import find_folder, find_images, need_files, set_folder
from unblur.datasets.image_files import read_tensor
from unblur.datasets.shards import list_shard

__all__ = [
    "PhotoSet",
    "UnpairedSet",
    "bsds500",
    "bsds500_folder",
    "coco",
    "kodak",
    "lai_real",
    "photo_paths",
    "photos_of",
    "unpaired_folders",
]


class PhotoSet(Sequence[Tensor]):
    """Image files as tensors `(1, 1 or 3, H, W)`, float32 in [0, 1], encoded as stored; each is read when asked for.

    Attributes:
        paths: The files, in order.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self.paths = tuple(paths)

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> Tensor: ...
    @overload
    def __getitem__(self, index: slice) -> PhotoSet: ...
    def __getitem__(self, index: int | slice) -> Tensor | PhotoSet:
        if isinstance(index, slice):
            return PhotoSet(self.paths[index])
        return read_tensor(self.paths[index])


@dataclass(frozen=True)
class UnpairedSet:
    """Blurry and sharp photos of different scenes and in different numbers: nothing says which belong together."""

    blurry: PhotoSet
    sharp: PhotoSet


def photos_of(folder: Path) -> PhotoSet:
    """Every image in and below a folder, in order of their paths.

    Raises:
        DataError: Missing folder, or no image in it.
    """
    return PhotoSet(find_images(folder))


def photo_paths(folders: Sequence[str]) -> list[Path]:
    """The photos in and below all these folders, which are found as `find_folder` does, and in tar files there.

    Raises:
        DataError: A folder is missing, or holds no image, or a tar file in it cannot be read.
    """
    return [path for folder in folders for path in _photos_and_shards(find_folder(folder))]


def _photos_and_shards(folder: Path) -> list[Path]:
    shards = sorted(folder.rglob("*.tar"))
    sharded = [path for shard in shards for path in list_shard(shard)]
    return [*(find_images(folder, may_be_none=bool(sharded))), *sharded]


def unpaired_folders(root: Path) -> UnpairedSet:
    """The photos of `blur` (or `blurry`) and of `sharp` below `root`; their numbers and names may differ.

    Raises:
        DataError: One of the folders is missing or without images.
    """
    blurry = root / "blurry" if (root / "blurry").is_dir() else root / "blur"
    return UnpairedSet(photos_of(blurry), photos_of(root / "sharp"))


def bsds500(root: Path, split: str) -> PhotoSet:
    """The photos of one part of BSDS500, from the official tree or a folder with the parts in it."""
    return photos_of(bsds500_folder(root, split))


def bsds500_folder(root: Path, split: str) -> Path:
    """The folder of one part of BSDS500."""
    return set_folder(root, "train/bsds500", "BSR/BSDS500/data/images", "BSDS500/data/images") / split


def coco(root: Path, split: str) -> PhotoSet:
    """The photos of one part of COCO 2017: `train2017`, `val2017`, `test2017` or `unlabeled2017`."""
    return photos_of(set_folder(root, "coco", "COCO") / split)


def kodak(root: Path) -> PhotoSet:
    """The 24 photos of the Kodak suite."""
    return PhotoSet(need_files(set_folder(root, "train/kodak", "kodak", "Kodak24"), "kodim*.png", 24))


def lai_real(root: Path) -> PhotoSet:
    """The real blurry photos of Lai et al., as many as there are."""
    return photos_of(set_folder(root, "real/lai-real", "lai/real", "lai-real"))
