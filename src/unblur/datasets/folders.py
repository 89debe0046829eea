"""Where data sets lie, and reading their files."""

from __future__ import annotations

import os
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unblur.errors import DataError, ImageError, ReadError
from unblur.images.files import read_image
from unblur.images.working import to_working

__all__ = ["as_kernel", "find_root", "need_files", "read_arrays", "read_tensor"]

_VARIABLE = "UNBLUR_DATA"
_DEFAULT = Path("../shared/data")


def find_root(given: Path | None) -> Path:
    """The folder that holds the data sets: the one given, else the environment's `UNBLUR_DATA`, else `../shared/data`.

    Raises:
        DataError: None of them is a folder.
    """
    named = given or (Path(os.environ[_VARIABLE]) if os.environ.get(_VARIABLE) else None)
    root = named or _DEFAULT
    if root.is_dir():
        return root
    if named:
        raise DataError(f"there is no data folder {str(named)!r}")
    raise DataError(f"where the data sets are is not known; name their folder with --data or in {_VARIABLE}")


def need_files(folder: Path, pattern: str, count: int | None = None) -> list[Path]:
    """The files of a data set in order of their names.

    Args:
        folder: The data set's folder.
        pattern: Glob pattern inside it.
        count: How many there must be; None: one or more.

    Raises:
        DataError: Missing folder, or another number of files.
    """
    if not folder.is_dir():
        raise DataError(f"expected a folder {folder.name!r} with {pattern} in {str(folder.parent)!r}; found none")
    files = sorted(folder.glob(pattern))
    if not files or count not in {None, len(files)}:
        expected = "one file or more" if count is None else f"{count} files"
        raise DataError(f"expected {expected} of the form {pattern} in {str(folder)!r}; found {len(files)}")
    return files


def read_tensor(path: Path) -> Tensor:
    """The colour channels of an image file, `(1, 1 or 3, H, W)`, float32 in [0, 1], encoded as stored.

    Raises:
        ReadError: The file is missing or no image; the message names it, because a pair has several.
    """
    try:
        pixels = to_working(read_image(path))
    except ImageError as error:
        raise ReadError(f"{path.name}: {error}") from error
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]


def read_arrays(path: Path, names: list[str]) -> list[NDArray[np.float64]]:
    """The named arrays of an `.npz` file.

    Raises:
        DataError: Not such a file, or without one of the names.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return [np.asarray(stored[name], dtype=np.float64) for name in names]
    except (OSError, EOFError, ValueError, TypeError, KeyError, BadZipFile) as error:
        raise DataError(f"expected an .npz file with the arrays {', '.join(names)} at {str(path)!r}") from error


def as_kernel(values: NDArray[np.float64]) -> Tensor:
    """A kernel `(1, 1, kH, kW)`, float32, sum 1, from its values."""
    return torch.from_numpy((values / values.sum()).astype(np.float32))[None, None]
