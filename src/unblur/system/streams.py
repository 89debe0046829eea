"""Standard input, output and error when they are closed, full, cut short or gone."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from unblur.errors import OutputError

__all__ = ["drop_stderr", "flush_all", "is_closed", "prepare_streams", "why_not_written", "write_stdout"]

_closed: set[int] = set()
"""Which of the descriptors 0 to 2 were closed when the program started."""

_REASONS = {
    errno.EPIPE: "the program that reads it is gone",
    errno.EBADF: "it is closed",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EIO: "the system reports an error of the device",
}


def prepare_streams() -> None:
    """Make the standard streams safe to use, for a program that is starting.

    A descriptor from 0 to 2 that is closed would be given to the next file that is opened, and what a library prints
    would go into the user's photo: it gets the null device, opened so that using it is an error. What is printed on
    standard output and cannot be written becomes an `OutputError`.
    """
    for number, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_RDONLY)):
        try:
            os.fstat(number)
        except OSError:
            _closed.add(number)
            _put_null_device(number, mode)
    sys.stdin = sys.stdin or io.TextIOWrapper(io.FileIO(os.open(os.devnull, os.O_RDONLY)))
    sys.stderr = sys.stderr or io.TextIOWrapper(io.FileIO(os.open(os.devnull, os.O_WRONLY), "w"))
    if sys.stdout is sys.__stdout__:
        sys.stdout = _CheckedOutput.over(sys.__stdout__)


def is_closed(number: int) -> bool:
    """Whether standard input (0), output (1) or error (2) was closed when the program started."""
    return number in _closed


def write_stdout(data: bytes | memoryview) -> None:
    """Write every byte to standard output.

    Raises:
        OutputError: Not every byte could be written.
    """
    with _as_output_error():
        _write_all(sys.stdout.buffer, data)


def drop_stderr() -> None:
    """Discard what is still written to standard error: its reader is gone, or its disk is full."""
    if sys.stderr is sys.__stderr__:
        _put_null_device(2, os.O_WRONLY)


def flush_all() -> None:
    """Write what is left in the buffers of standard output and error, as far as that is possible."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, OutputError, ValueError):  # ValueError: it is closed
            stream.flush()


def why_not_written(error: OSError) -> str:
    """Why something could not be written, as a clause that stands by itself."""
    return _REASONS.get(error.errno or 0) or (error.strerror or "the system gives no reason").lower()


class _CheckedOutput(io.TextIOWrapper):
    """Standard output as text, whose failures say so."""

    @classmethod
    def over(cls, stream: io.TextIOWrapper | None) -> _CheckedOutput:
        """In place of a stream; None: of a closed one."""
        buffer = io.BufferedWriter(io.FileIO(1, "w", closefd=False))
        if stream is None:
            return cls(buffer, encoding="utf-8")
        return cls(buffer, stream.encoding, stream.errors, line_buffering=stream.line_buffering)

    def write(self, text: str) -> int:
        with _as_output_error():
            return super().write(text)

    def flush(self) -> None:
        with _as_output_error():
            super().flush()


@contextmanager
def _as_output_error() -> Generator[None]:
    try:
        yield
    except OSError as error:
        _put_null_device(1, os.O_WRONLY)  # what is left in buffers must not fail again at the end of the program
        raise OutputError(f"cannot write to standard output: {why_not_written(error)}") from error


def _write_all(stream: BinaryIO, data: bytes | memoryview) -> None:
    """Write every byte; one call of a raw stream's `write` may stop early, and only its answer says so."""
    stream.flush()
    raw = getattr(stream, "raw", stream)
    rest = memoryview(data)
    while rest:
        try:
            written = raw.write(rest)
        except BlockingIOError:
            written = None
        if written is None:  # a pipe that another program made non-blocking
            select.select([], [raw], [])
        else:
            rest = rest[written:]
    stream.flush()


def _put_null_device(number: int, mode: int) -> None:
    null = os.open(os.devnull, mode)
    if null != number:
        os.dup2(null, number)
        os.close(null)
