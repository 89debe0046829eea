"""Files of weights as bytes, read once: what was checked is what is used."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from typing import BinaryIO

from unblur.errors import CheckpointError

__all__ = ["open_file", "read_bytes"]

_LARGEST_FILE = 4 * 2**30


@contextmanager
def open_file(path: str | os.PathLike[str]) -> Generator[BinaryIO]:
    """A regular file of at most 4 GB, open for reading; errors within the block count as those of the file.

    Raises:
        CheckpointError: There is no such file, or it cannot be read.
    """
    try:
        # without waiting for somebody to write into a pipe
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise CheckpointError("is a device or pipe, not a file of weights")
            if facts.st_size > _LARGEST_FILE:
                raise CheckpointError("is larger than 4 GB, too large for weights")
            yield file
    except IsADirectoryError:
        raise CheckpointError("is a folder, not a file of weights") from None
    except FileNotFoundError:
        raise CheckpointError("does not exist") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot be read: {getattr(error, 'strerror', None) or error}".lower()) from error


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a regular file of at most 4 GB.

    Raises:
        CheckpointError: There is no such file, or it cannot be read.
    """
    with open_file(path) as file:
        return file.read()
