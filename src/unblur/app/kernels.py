"""A kernel as the page edits it: an array of cells around it, thinned, and made a kernel again."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unblur.errors import KernelError
from unblur.images.kernels import normalise_kernel

__all__ = ["BLANK", "as_cells", "encode_npy", "from_cells", "thin"]

_BLANK_SIDE = 25
_FAINT = 0.02
"""Share of the largest value below which thinning leaves nothing."""
_MOST_CELLS = 512 * 512

BLANK: list[list[float]] = [[0.0] * _BLANK_SIDE for _ in range(_BLANK_SIDE)]
"""Cells without a kernel, to draw one."""


def as_cells(kernel: NDArray[Any]) -> list[list[float]]:
    """The values `(kH, kW)` line by line, with free cells around them to draw in; the middle stays in the middle."""
    margin = max(2, max(kernel.shape) // 8)
    return np.pad(kernel.astype(np.float64), margin).tolist()


def from_cells(text: str) -> NDArray[np.float32]:
    """The kernel in cells that are written as JSON, without the free lines around it.

    Raises:
        KernelError: No cells, or none that is above zero.
    """
    try:
        values = np.array(json.loads(text), np.float64)
    except (ValueError, TypeError):
        raise KernelError("there is no kernel to use yet; paint one, or restore a photo first") from None
    if values.ndim != 2 or values.size > _MOST_CELLS:
        raise KernelError("this is no kernel: a table of numbers was expected")
    if not values.any():
        raise KernelError("the kernel is empty; paint its path first")
    return normalise_kernel(_without_free_lines(values))


def thin(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """The kernel with a narrower path: each value is lowered by as much as its largest neighbour is above it.

    The ridge of the path stays, its flanks fall off faster, and faint values go.
    """
    padded = np.pad(kernel, 1)
    rows, columns = kernel.shape
    around = [padded[row : row + rows, column : column + columns] for row in range(3) for column in range(3)]
    largest = np.max(around, axis=0)
    thinned = kernel * np.divide(kernel, largest, out=np.zeros_like(kernel), where=largest > 0)
    return normalise_kernel(np.where(thinned >= _FAINT * thinned.max(), thinned, 0))


def encode_npy(kernel: NDArray[np.float32]) -> bytes:
    """The bytes of a NumPy file with the exact values."""
    file = io.BytesIO()
    np.save(file, kernel, allow_pickle=False)
    return file.getvalue()


def _without_free_lines(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values without lines of zeros at the borders, as many on one side as on the other: the middle stays."""
    rows, columns = (np.flatnonzero(values.any(axis=axis)) for axis in (1, 0))
    top = min(rows[0], values.shape[0] - 1 - rows[-1])
    left = min(columns[0], values.shape[1] - 1 - columns[-1])
    return values[top : values.shape[0] - top, left : values.shape[1] - left]
