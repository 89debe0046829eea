"""Blur kernels as files: a 16-bit PNG to look at, and a NumPy file with the exact values."""

from __future__ import annotations

import io
import math
import os
import warnings
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
"""Largest number of values in a kernel's file, such as 2000 x 2000: more than any photo is blurred by."""

_BRIGHT_GROUND = 0.8


def read_kernel(path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """The blur kernel in a file: `(kH, kW)`, odd sizes, non-negative, sum 1.

    Args:
        path: An image (colour channels are averaged, alpha is ignored) or a NumPy file; of an `.npz`, the array named
            `kernel`, or the only one. An image shows a bright path on black; one that shows a dark path on a bright
            ground is inverted.

    Warns:
        UserWarning: The image was inverted, or see `normalise_kernel`.

    Raises:
        ReadError: The file cannot be read.
        KernelError: Its values are no kernel.
    """
    if Path(path).is_file() and _is_numpy_file(path):
        return normalise_kernel(_read_array(path))
    picture = read_image(path, limits=Limits(max_pixels=_MOST_VALUES))
    values = picture.colour.mean(axis=2, dtype=np.float64) / peak_of(picture.pixels.dtype)
    if _is_inverted(values):
        warnings.warn(
            "the kernel shows a dark path on a bright ground, so it was used inverted; "
            "a kernel is a bright path on black",
            stacklevel=2,
        )
        values = values.max() - values
    return normalise_kernel(values)


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
    """The values as a kernel: sum 1, odd sizes.

    An even size gets a zero row or column on the side that brings the centre of mass nearer to the middle.

    Warns:
        UserWarning: A size was even.

    Raises:
        KernelError: Not two-dimensional, empty, not finite, negative somewhere, or zero everywhere.
    """
    if values.dtype.kind not in "bfiu":
        raise KernelError(f"a kernel is an array of real numbers; these are of type {values.dtype}")
    with np.errstate(invalid="ignore"):  # a signalling NaN, which is refused below
        values = np.asarray(values, np.float64)
    if values.ndim != 2 or 0 in values.shape:
        raise KernelError(f"a kernel has two dimensions; this has the shape {values.shape}")
    if not np.isfinite(values).all():
        raise KernelError("a kernel has finite values; this holds NaN or infinity")
    if (values < 0).any():
        raise KernelError(f"a kernel has no negative values; the smallest here is {values.min():.4g}")
    if not values.any():
        raise KernelError("a kernel has a positive sum; this one is zero everywhere")
    odd = _with_odd_sizes(values)
    if odd.shape != values.shape:
        warnings.warn(
            f"a kernel has odd sizes, and this one has {values.shape[1]}x{values.shape[0]}, so it has no middle; "
            "the middle nearest to its centre of mass was taken, and the image may be shifted by a pixel",
            stacklevel=2,
        )
    # Division by the maximum first: the sum of huge values must not overflow.
    odd /= odd.max()
    return (odd / odd.sum()).astype(np.float32)


def _with_odd_sizes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values, centred by their mass where a size is even."""
    before = [_is_mass_before_middle(values.sum(axis=1 - axis)) for axis in (0, 1)]
    sides = [(first, 1 - first) if size % 2 == 0 else (0, 0) for size, first in zip(values.shape, before, strict=True)]
    return np.pad(values, sides)


def _is_mass_before_middle(line: NDArray[np.float64]) -> int:
    """1 if the centre of mass lies before the middle of the line, else 0."""
    mass = line / line.max()
    return int(mass @ np.arange(line.size) < mass.sum() * (line.size - 1) / 2)


def _is_inverted(values: NDArray[np.float64]) -> bool:
    """Whether the values are those of a dark path on a bright ground.

    Nine tenths of the border are nearly as bright as anything, and what it encloses is darker on the whole.
    """
    if min(values.shape) < 3 or values.min() == values.max():
        return False
    inner = values[1:-1, 1:-1]
    is_border = np.ones(values.shape, bool)
    is_border[1:-1, 1:-1] = False
    border = values[is_border]
    return bool(np.percentile(border, 10) >= _BRIGHT_GROUND * values.max() and inner.mean() < border.mean())


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
