"""Files without a name, and bytes that are written to the last."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["lasting_scratch_file", "scratch_file", "write_all"]


def scratch_file() -> int:
    """Descriptor of a nameless file, in memory where the system can do that."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("unblur", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


@contextmanager
def lasting_scratch_file() -> Generator[int]:
    """A scratch file for a result: it stays open after the block, unless the block fails."""
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
