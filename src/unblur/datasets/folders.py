"""Folders and files of data sets. Nothing here imports NumPy or torch."""

from __future__ import annotations

import os
from pathlib import Path

from unblur.errors import DataError

__all__ = ["IMAGE_SUFFIXES", "find_folder", "find_images", "find_root", "need_files", "need_folder", "set_folder"]

IMAGE_SUFFIXES = frozenset({".avif", ".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""Which files of a data set's folder are images."""

_VARIABLE = "UNBLUR_DATA"
_LOCAL = Path("data")


def find_root(given: Path | None) -> Path:
    """The folder that holds the data sets: the one given, else the environment's `UNBLUR_DATA`, else `data` here.

    Raises:
        DataError: It is not a folder.
    """
    named = given or (Path(os.environ[_VARIABLE]) if os.environ.get(_VARIABLE) else None)
    root = named or _LOCAL
    if root.is_dir():
        return root
    if named:
        raise DataError(f"there is no data folder {str(named)!r}")
    raise DataError(f"there is no data folder: set {_VARIABLE} to the folder of the data sets, or call it 'data'")


def find_folder(name: str) -> Path:
    """The folder of that name; of one below `data` that is not here, the folder of that place below `UNBLUR_DATA`.

    Raises:
        DataError: There is neither.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder
    if folder.parts[:1] == _LOCAL.parts:
        root = os.environ.get(_VARIABLE)
        if root and Path(root, *folder.parts[1:]).is_dir():
            return Path(root, *folder.parts[1:])
        raise DataError(f"there is no folder {name!r}; name another, or set {_VARIABLE} to the folder of the data sets")
    raise DataError(f"there is no folder {name!r}")


def set_folder(root: Path, *names: str) -> Path:
    """The folder of one data set.

    Args:
        root: Folder that holds the data sets, or the set's own folder.
        names: Names that the set's folder may have, in order of preference.

    Raises:
        DataError: There is none, and `root` has none of these names either.
    """
    for name in names:
        if (root / name).is_dir():
            return root / name
    if root.is_dir() and root.resolve().name in {Path(name).name for name in names}:
        return root
    raise DataError(f"expected a folder {' or '.join(map(repr, names))} in {str(root)!r}; found none")


def need_folder(folder: Path, content: str) -> Path:
    """The folder itself, if it exists.

    Raises:
        DataError: It does not exist; the message says what it should hold.
    """
    if not folder.is_dir():
        raise DataError(f"expected a folder {folder.name!r} with {content} in {str(folder.parent)!r}; found none")
    return folder


def find_images(folder: Path, *, may_be_none: bool = False) -> list[Path]:
    """Every image file in and below a folder, in order of their paths; hidden files are skipped.

    Args:
        folder: The folder.
        may_be_none: Whether a folder without images is no error.

    Raises:
        DataError: Missing folder, or no image in it.
    """
    need_folder(folder, "images")
    files = [path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES]
    images = sorted(path for path in files if not path.name.startswith(".") and path.is_file())
    if not images and not may_be_none:
        raise DataError(f"expected images in {str(folder)!r}; found none")
    return images


def need_files(folder: Path, pattern: str, count: int | None = None) -> list[Path]:
    """The files of a data set in order of their names.

    Args:
        folder: The data set's folder.
        pattern: Glob pattern inside it.
        count: Expected number; None: one or more.

    Raises:
        DataError: Missing folder, or another number of files.
    """
    files = sorted(need_folder(folder, pattern).glob(pattern))
    if not files or count not in {None, len(files)}:
        expected = "one file or more" if count is None else f"{count} files"
        raise DataError(f"expected {expected} of the form {pattern} in {str(folder)!r}; found {len(files)}")
    return files
