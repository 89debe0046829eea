"""Files without a name, and bytes that are written to the last."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["LARGE", "disk_file", "lasting_scratch_file", "reserve", "scratch_file", "write_all"]

LARGE = 64 << 20
"""Bytes from which a scratch file is better on the disk."""


def scratch_file() -> int:
    """Descriptor of a nameless file, in memory where the system can do that."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("unblur", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def disk_file() -> int | None:
    """Descriptor of a nameless file in the system's folder for temporary files; None: there is no such folder."""
    try:
        with tempfile.TemporaryFile() as file:
            return os.dup(file.fileno())
    except OSError:
        return None


def reserve(file: int, size: int) -> bool:
    """Empty a file; whether the disk has room for one of that size, which it then is, to be written from its start."""
    if not hasattr(os, "posix_fallocate"):
        return False
    try:
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        os.posix_fallocate(file, 0, size)
    except OSError:
        return False
    return True


@contextmanager
def lasting_scratch_file(size: int = 0, on_disk: int | None = None) -> Generator[int]:
    """A scratch file for a result: it stays open after the block, unless the block fails.

    Args:
        size: Bytes of the result, if they are known.
        on_disk: A file that is taken for a large result, if there is room on its disk; it stays open in any case.
    """
    if on_disk is not None and size >= LARGE and reserve(on_disk, size):
        yield on_disk
        return
    file = scratch_file()
    try:
        yield file
    except BaseException:
        os.close(file)
        raise


def write_all(file: int, data: bytes | memoryview) -> None:
    """Write every byte; `os.write` alone may stop early."""
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[os.write(file, rest) :]
