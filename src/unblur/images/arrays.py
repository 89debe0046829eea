"""NumPy files (`.npy`, `.npz`) to values, run in the sandbox: their headers claim, and their parts inflate to, much."""

from __future__ import annotations

import io
import math
import os
import zipfile
from typing import Any, BinaryIO

import numpy as np

from unblur.errors import KernelError, ReadError, TooLargeError, UnblurError
from unblur.system.scratch import lasting_scratch_file, write_all

__all__ = ["NPY_START", "ZIP_START", "decode_array"]

NPY_START = b"\x93NUMPY"
ZIP_START = b"PK\x03\x04"

_KINDS = "bfiu"
_HEADER_BYTES = 512
"""NumPy writes 118; what is longer is never read, nor parsed as the Python expression that it is."""
_MEMBER = "kernel"
_LARGEST_TABLE = 1 << 20
"""Bytes of an archive's table of contents; NumPy writes about 50 for each array."""


def decode_array(source: int, request: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The array in a NumPy file; of an `.npz`, the one named `kernel`, or the only one.

    Args:
        source: Open descriptor of the file.
        request: `max_pixels`, the most values that are allowed.

    Returns:
        Header with `shape` and `dtype`, and a scratch file of the values.

    Raises:
        KernelError: Several arrays, or values that are no real numbers.
        TooLargeError: More values than allowed.
        ReadError: Damaged.
    """
    with os.fdopen(os.dup(source), "rb") as file:
        file.seek(0)
        try:
            if file.read(4) == ZIP_START:
                values = _load_member(file, request["max_pixels"])
            else:
                file.seek(0)
                values = _load(file, request["max_pixels"])
        except (UnblurError, MemoryError):
            raise
        except Exception as error:  # zip, header and dtype parsers each raise their own
            raise ReadError("is a damaged NumPy file, or holds something else than numbers") from error
    with lasting_scratch_file() as result:
        write_all(result, np.ascontiguousarray(values).data)
    return {"shape": list(values.shape), "dtype": values.dtype.name}, result


def _load_member(file: BinaryIO, most: int) -> Any:
    if _table_bytes(file) > _LARGEST_TABLE:
        raise TooLargeError("holds more arrays than a file with a kernel does")
    with zipfile.ZipFile(file) as archive:
        names = {name.removesuffix(".npy"): name for name in archive.namelist()}
        name = names.get(_MEMBER, next(iter(names.values())) if len(names) == 1 else None)
        if name is None:
            raise KernelError(f"the file holds {len(names)} arrays; name the kernel's `{_MEMBER}`")
        with archive.open(name) as member:
            return _load(member, most)  # pyright: ignore[reportArgumentType] - reads and seeks as a file does


def _table_bytes(file: BinaryIO) -> int:
    """Size of an archive's table of contents as its end says; what zipfile will walk through."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - (1 << 16) - 22))
    end = file.read()
    at = end.rfind(b"PK\x05\x06")
    return int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0


def _load(file: BinaryIO, most: int) -> Any:
    """The array in an open `.npy` file, refused by its header if it is too large or holds no real numbers."""
    begin = io.BytesIO(file.read(_HEADER_BYTES))
    version = np.lib.format.read_magic(begin)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, fortran_order, dtype = readers[version](begin, max_header_size=_HEADER_BYTES)
    if dtype.hasobject:  # a pickle, which is never run
        raise ReadError("is a NumPy file that holds something else than numbers")
    if dtype.kind not in _KINDS or dtype.itemsize > 8:
        raise KernelError(f"a kernel is an array of real numbers; these are of type {dtype}")
    count = math.prod(shape)
    if count > most:
        raise TooLargeError(f"holds {count} values; {most} are allowed")
    data = begin.read()
    data += file.read(max(0, count * dtype.itemsize - len(data)))
    values = np.frombuffer(data, dtype, count).reshape(shape, order="F" if fortran_order else "C")
    return values.astype(dtype.newbyteorder("="))
