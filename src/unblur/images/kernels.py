"""Blur kernels as files: a 16-bit PNG to look at, and a NumPy file with the exact values."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unblur.errors import KernelError
from unblur.images.arrays import NPY_START, ZIP_START
from unblur.images.decoder import map_pixels, run_job
from unblur.images.files import encode_image, read_image
from unblur.images.inks import peak_of
from unblur.images.limits import Limits
from unblur.images.picture import FileFacts, Picture
from unblur.system.atomic import atomic_write

__all__ = ["encode_kernel", "normalise_kernel", "read_kernel", "write_kernel"]

_MOST_VALUES = 4_000_000
"""Of a kernel's file, such as 2000 x 2000: more than any photo is blurred by."""


def read_kernel(path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """The blur kernel in a file: `(kH, kW)`, odd sizes, non-negative, sum 1.

    Args:
        path: An image (colour channels are averaged, alpha is ignored) or a NumPy file; of an `.npz`, the array named
            `kernel`, or the only one.

    Raises:
        ReadError: The file cannot be read.
        KernelError: Its values are no kernel.
    """
    if Path(path).is_file() and _is_numpy_file(path):
        return normalise_kernel(_read_array(path))
    picture = read_image(path, limits=Limits(max_pixels=_MOST_VALUES))
    return normalise_kernel(picture.colour.mean(axis=2, dtype=np.float64) / peak_of(picture.pixels.dtype))


def write_kernel(path: str | os.PathLike[str], kernel: NDArray[Any], *, overwrite: bool = False) -> tuple[Path, Path]:
    """Write `NAME.png` (16 bits, scaled to its maximum) and `NAME.npy` (exact values) and return both paths.

    Args:
        path: `NAME`, `NAME.png` or `NAME.npy`.
        kernel: `(kH, kW)`.
        overwrite: Replace files of these names.

    Raises:
        KernelError: The values are no kernel.
        WriteError: A name is taken.
        OutputError: The folder cannot be written to.
    """
    base = Path(path)
    stem = base.name[:-4] if base.suffix.lower() in {".png", ".npy"} else base.name
    image, exact = base.with_name(stem + ".png"), base.with_name(stem + ".npy")
    png, npy = encode_kernel(kernel)
    atomic_write(image, png, overwrite=overwrite)
    atomic_write(exact, npy, overwrite=overwrite)
    return image, exact


def encode_kernel(kernel: NDArray[Any]) -> tuple[bytes, bytes]:
    """The bytes of the two files that `write_kernel` writes: PNG and NumPy.

    Raises:
        KernelError: The values are no kernel.
    """
    checked = normalise_kernel(kernel)
    scaled = np.rint(checked / checked.max() * 65535).astype(np.uint16)
    png, _ = encode_image(Picture(scaled[..., None], "grey", facts=FileFacts(bits=16)), "png")
    file = io.BytesIO()
    np.save(file, checked, allow_pickle=False)
    return png, file.getvalue()


def normalise_kernel(values: NDArray[Any]) -> NDArray[np.float32]:
    """The values as a kernel: sum 1, odd sizes (a zero row or column is added below or on the right).

    Raises:
        KernelError: Not two-dimensional, empty, not finite, negative somewhere, or zero everywhere.
    """
    if values.dtype.kind not in "bfiu":
        raise KernelError(f"a kernel is an array of real numbers; these are of type {values.dtype}")
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or 0 in values.shape:
        raise KernelError(f"a kernel has two dimensions; this has the shape {values.shape}")
    if not np.isfinite(values).all():
        raise KernelError("a kernel has finite values; this holds NaN or infinity")
    if (values < 0).any():
        raise KernelError(f"a kernel has no negative values; the smallest here is {values.min():.4g}")
    if not values.any():
        raise KernelError("a kernel has a positive sum; this one is zero everywhere")
    height, width = values.shape
    odd = np.pad(values, ((0, 1 - height % 2), (0, 1 - width % 2)))
    # Division by the maximum first: the sum of huge values must not overflow.
    odd /= odd.max()
    return (odd / odd.sum()).astype(np.float32)


def _is_numpy_file(path: str | os.PathLike[str]) -> bool:
    """Whether a regular file begins as one; for anything else `read_image` finds the words."""
    try:
        with Path(path).open("rb") as file:
            return file.read(8).startswith((NPY_START, ZIP_START))
    except (OSError, ValueError):
        return False


def _read_array(path: str | os.PathLike[str]) -> NDArray[Any]:
    """The array in a NumPy file, by way of the decoding process: a few bytes may claim to be, or inflate to, much."""
    with Path(path).open("rb") as file:
        header, pixels = run_job(
            "array", file.fileno(), Limits(max_pixels=_MOST_VALUES, cpu_seconds=5, memory=512 << 20)
        )
    try:
        values, _ = map_pixels(pixels, (1, 1, math.prod(header["shape"])), header["dtype"])
    finally:
        os.close(pixels)
    return values.reshape(header["shape"])
