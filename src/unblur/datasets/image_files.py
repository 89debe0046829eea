"""Files of data sets as tensors and arrays."""

from __future__ import annotations

from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from unblur.datasets.shards import read_member
from unblur.errors import DataError, ImageError, ReadError
from unblur.images.files import read_image
from unblur.images.tensors import array_to_tensor
from unblur.images.working import to_working

__all__ = ["as_kernel", "read_arrays", "read_plain", "read_tensor"]

_HAS_LIBVIPS = find_spec("pyvips") is not None


def read_tensor(path: Path) -> Tensor:
    """The colour channels of an image file, `(1, 1 or 3, H, W)`, float32 in [0, 1], encoded as stored.

    The path may go through a tar file, see `unblur.datasets.shards`.

    Raises:
        ReadError: The file is missing or no image; the message names it, because a pair has several.
    """
    try:
        source = read_member(path) or path
        pixels = to_working(read_image(source)) if _HAS_LIBVIPS else read_plain(source)
    except ImageError as error:
        raise ReadError(f"{path.name}: {error}") from error
    return array_to_tensor(pixels)


def read_plain(source: Path | bytes) -> NDArray[np.float32]:
    """The colours `(H, W, 1 or 3)` in [0, 1] of an ordinary photo, for training machines without libvips.

    JPEG and PNG of 8 bits, upright; colour profiles are ignored, and decoding is not limited in time or memory.

    Raises:
        ReadError: Missing, damaged or of another kind.
    """
    try:
        with Image.open(BytesIO(source) if isinstance(source, bytes) else source, formats=["JPEG", "PNG"]) as photo:
            upright = ImageOps.exif_transpose(photo).convert("L" if photo.mode in {"1", "L"} else "RGB")
    except Exception as error:  # Pillow fails in many ways on damaged files
        raise ReadError("is damaged, or no photo that can be read without libvips (JPEG, PNG)") from error
    pixels = np.asarray(upright, dtype=np.float32) / np.float32(255)
    return pixels.reshape(upright.height, upright.width, -1)


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
