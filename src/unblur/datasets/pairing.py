"""Matching of blurry and sharp files: the mechanism of every data set that is two trees of files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path, PurePath

from torch import Tensor

from unblur.datasets.folders import find_images
from unblur.datasets.image_files import read_tensor
from unblur.datasets.pairs import Loader, Pair, PairedSet, PairEncoding
from unblur.errors import DataError, ShapeError

__all__ = ["MatchedFiles", "check_count", "match_trees", "paired_folders", "paired_set", "read_pair"]

MatchedFiles = tuple[str, Path, Path]
"""Name, blurry file and sharp file of a pair."""


def paired_folders(blurry: Path, sharp: Path) -> PairedSet:
    """The pairs of two folders: files of the same place and name, whatever their extensions.

    Raises:
        DataError: A folder is missing or empty, or an image has no counterpart.
    """
    return paired_set(match_trees(blurry, sharp))


def match_trees(
    blurry: Path, sharp: Path, sharp_of: Callable[[PurePath], PurePath] | None = None, *, count: int | None = None
) -> list[MatchedFiles]:
    """Match every image below one folder with its sharp image below another.

    Args:
        blurry: Folder of the blurry images, which may lie in subfolders.
        sharp: Folder of the sharp ones.
        sharp_of: Maps a blurry image's place below its folder, without extension, to that of its sharp image; None: the
            same. Several blurry images may have one sharp image.
        count: Expected number of pairs; None: any.

    Returns:
        In order of the blurry images' places, each named by its place.

    Raises:
        DataError: A folder is missing or empty, an image has no counterpart, or another number of pairs.
    """
    counterparts = {_place(path, sharp): path for path in find_images(sharp)}
    matched: list[MatchedFiles] = []
    for path in find_images(blurry):
        place = _place(path, blurry)
        wanted = place if sharp_of is None else sharp_of(place)
        if wanted not in counterparts:
            raise DataError(
                f"expected for each image in {str(blurry)!r} its sharp one in {str(sharp)!r}; "
                f"found none named {wanted.as_posix()!r} for {path.name!r}"
            )
        matched.append((place.as_posix(), path, counterparts[wanted]))
    return check_count(matched, count, blurry)


def check_count(matched: list[MatchedFiles], count: int | None, folder: Path) -> list[MatchedFiles]:
    """The pairs themselves, if there are as many as there must be.

    Raises:
        DataError: There are not; the message says both numbers.
    """
    if count not in {None, len(matched)}:
        raise DataError(f"expected {count} pairs in {str(folder)!r}; found {len(matched)}")
    return matched


def paired_set(matched: Iterable[MatchedFiles], *, encoding: PairEncoding = "linear", blurs: int = 1) -> PairedSet:
    """The data set of matched files; photographed blur takes place in linear light."""
    pairs: list[tuple[str, Loader]] = [
        (name, partial(read_pair, name, blurry, sharp, encoding)) for name, blurry, sharp in matched
    ]
    return PairedSet(pairs, blurs)


def read_pair(
    name: str, blurry: Path, sharp: Path, encoding: PairEncoding = "linear", kernel: Tensor | None = None
) -> Pair:
    """One pair from its two files.

    Raises:
        ReadError: A file is no image.
        ShapeError: The two images differ in size.
    """
    images = read_tensor(blurry), read_tensor(sharp)
    if images[0].shape != images[1].shape:
        sizes = " and ".join(f"{image.shape[-1]}x{image.shape[-2]}x{image.shape[1]}" for image in images)
        raise ShapeError(f"expected a blurry and a sharp image of one size, got {sizes} ({blurry.name}, {sharp.name})")
    return Pair(name, *images, kernel, encoding)


def _place(path: Path, folder: Path) -> PurePath:
    return path.relative_to(folder).with_suffix("")
