"""Rows of a benchmark: one for each image, also for those that failed."""

from __future__ import annotations

import csv
import fcntl
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from unblur.errors import DataError, OutputError

__all__ = ["Row", "RowWriter", "read_rows"]


@dataclass(frozen=True)
class Row:
    """What was measured on one image; None where it does not apply or the image failed.

    Attributes:
        suite: Name of the suite.
        image: Name of the pair in the suite.
        method: Name of the method.
        protocol: Cropping and alignment before scoring.
        seed: Seed of the method.
        index: Place of the pair in the suite, from 0.
        weights: Name of a trained method's weights.
        weights_sha256: Their checksum.
        threads: Torch threads of the process that ran it.
        psnr: PSNR of the restored image, dB.
        ssim: SSIM of the restored image.
        psnr_input: PSNR of the blurry image under the same protocol, dB.
        ssim_input: SSIM of the blurry image.
        gain: `psnr - psnr_input`.
        shift_right: Shift to the right that was undone, pixels.
        shift_down: Shift downwards that was undone, pixels.
        error_ratio: Squared error over that of the restoration with the true kernel.
        error_ratio_spectral: The same with the largest singular value of the error, not squared.
        kernel_similarity: Similarity of the estimated kernel to the true one, 1 is equal.
        kernel_rmse: Error of the estimated kernel, in a frame of 45x45 pixels.
        motion_error: Mean squared error of the estimated motion field in square pixels.
        change: PSNR between the restored and the blurry image without any alignment, dB; 100: they are equal.
        seconds: Time of the restoration alone.
        peak_mb: Largest resident memory of the process during the restoration; since the process began where the
            system cannot forget an earlier peak (outside Linux).
        warnings: Warnings of the method, joined by `; `.
        error: Why the image failed; empty if it did not.
        extra: Further metrics by name, each a column of its own after these; None: see `warnings`.
    """

    suite: str
    image: str
    method: str
    protocol: str
    seed: int
    index: int = 0
    weights: str = ""
    weights_sha256: str = ""
    threads: int = 1
    psnr: float | None = None
    ssim: float | None = None
    psnr_input: float | None = None
    ssim_input: float | None = None
    gain: float | None = None
    shift_right: float | None = None
    shift_down: float | None = None
    error_ratio: float | None = None
    error_ratio_spectral: float | None = None
    kernel_similarity: float | None = None
    kernel_rmse: float | None = None
    motion_error: float | None = None
    change: float | None = None
    seconds: float | None = None
    peak_mb: float | None = None
    warnings: str = ""
    error: str = ""
    extra: Mapping[str, float | None] = field(default_factory=dict[str, float | None])


class RowWriter:
    """The rows of one run in a CSV file, held by one process at a time.

    Each row goes out as one write, so a killed run leaves whole rows and at most one torn one at the end, which is
    dropped when the file is opened again.
    """

    def __init__(self, path: Path, metrics: Sequence[str] = ()) -> None:
        self._path, self._columns = path, [*_COLUMNS, *metrics]
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise _unwritable(error) from error
        try:
            self._take()
        except BaseException:
            os.close(self._file)
            raise

    @property
    def is_empty(self) -> bool:
        """No row has been written, now or earlier."""
        return os.fstat(self._file).st_size <= self._start

    def finished(self) -> list[Row]:
        """The rows that are in the file.

        Raises:
            DataError: They have other columns.
        """
        return read_rows(self._path)

    def clear(self) -> None:
        """Drop every row and start over with the columns of this run."""
        os.ftruncate(self._file, 0)
        self._write(self._columns)
        self._start = os.fstat(self._file).st_size

    def append(self, row: Row) -> None:
        """Write one row.

        Raises:
            OutputError: The disk is full or gone.
        """
        values = {**vars(row), **row.extra}
        self._write([_text(values.get(name)) for name in self._columns])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def _take(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError("another benchmark is writing into this folder; wait for it or choose another") from None
        data = self._path.read_bytes()
        ends = list(_record_ends(data))
        if not ends:
            self.clear()
            return
        self._start = ends[0]
        os.ftruncate(self._file, ends[-1])

    def _write(self, values: Sequence[str]) -> None:
        from unblur.system.scratch import write_all  # noqa: PLC0415 - brings NumPy

        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(values)
        try:
            write_all(self._file, line.getvalue().encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise _unwritable(error) from error


def read_rows(path: Path) -> list[Row]:
    """The whole rows of a file.

    Raises:
        DataError: The file is missing, or its columns are not those of this version.
    """
    try:
        data = path.read_bytes()
        text = data[: max(_record_ends(data), default=0)].decode("utf-8")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        rows = [_parse(values) for values in reader]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise DataError(f"{str(path)!r} holds no benchmark rows that this version can read") from error
    return rows


def _parse(values: dict[str, str]) -> Row:
    plain = {name: parse(values.get(name, "") if name in _LATER else values[name]) for name, parse in _COLUMNS.items()}
    extra = {name: _number(text) for name, text in values.items() if name not in _COLUMNS}
    return Row(**plain, extra=extra)


def _number(text: str) -> float | None:
    return float(text) if text else None


def _columns() -> dict[str, Callable[[str], Any]]:
    """Every column that is always there, and how its text is read."""
    kinds: dict[str, Callable[[str], Any]] = {"str": str, "int": int, "float | None": _number}
    return {item.name: kinds[str(item.type)] for item in fields(Row) if item.name != "extra"}


_COLUMNS = _columns()

_LATER = {"weights", "weights_sha256", "change"}
"""Columns that rows stored by earlier versions do not have."""


def _record_ends(data: bytes) -> Iterator[int]:
    """Where each whole record ends: at a line break outside quotes, which are doubled inside a field."""
    place, quotes = 0, 0
    for line in io.BytesIO(data):
        place += len(line)
        quotes += line.count(b'"')
        if line.endswith(b"\n") and quotes % 2 == 0:
            yield place


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _unwritable(error: OSError) -> OutputError:
    return OutputError(f"the rows cannot be written: {(error.strerror or 'unknown reason').lower()}")
