"""Pairs listed in a CSV file with the columns `blurry`, `sharp` and, where it is known, `kernel`."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

import torch

from unblur.datasets.image_files import read_tensor
from unblur.datasets.pairs import Loader, Pair, PairedSet
from unblur.errors import DataError
from unblur.images.kernels import read_kernel
from unblur.system.text import quote

__all__ = ["read_pair_list"]


def read_pair_list(path: Path) -> PairedSet:
    """The pairs of a CSV file, in its order; grey or RGB as the files are.

    Args:
        path: CSV in UTF-8, first line with the names of the columns; paths in it are relative to its folder. An empty
            kernel means that it is not known.

    Raises:
        DataError: No such file, not CSV, a column or a path missing, or no pairs.
    """
    pairs: list[tuple[str, Loader]] = []
    for number, row in enumerate(_rows(path), start=1):
        blurry, sharp, kernel = ((row.get(column) or "").strip() for column in ("blurry", "sharp", "kernel"))
        if not blurry or not sharp:
            raise DataError(f"pair {number} of the list of pairs lacks its blurry or its sharp image")
        pairs.append((blurry, partial(_read, path.parent, blurry, sharp, kernel)))
    if not pairs:
        raise DataError("the list of pairs has no pairs; expected a line for each below the names of the columns")
    return PairedSet(pairs)


def _rows(path: Path) -> list[dict[str, str | None]]:
    if path.exists() and not path.is_file():  # a pipe that nobody writes into would be waited for
        raise DataError(
            f"the list of pairs {str(path)!r} is a {'folder' if path.is_dir() else 'device or pipe'}, no file"
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            columns = reader.fieldnames or []
            rows = list(reader)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise DataError(f"the list of pairs {str(path)!r} cannot be read: {reason}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"the list of pairs {str(path)!r} is no CSV file in UTF-8") from error
    missing = {"blurry", "sharp"} - set(columns)
    if missing:
        raise DataError(
            f"the list of pairs {str(path)!r} has to begin with the names of its columns, blurry,sharp or "
            f"blurry,sharp,kernel; found {quote(','.join(columns)) if columns else 'an empty file'}"
        )
    return rows


def _read(folder: Path, blurry: str, sharp: str, kernel: str) -> Pair:
    known = torch.from_numpy(read_kernel(folder / kernel))[None, None] if kernel else None
    return Pair(blurry, read_tensor(folder / blurry), read_tensor(folder / sharp), known)
