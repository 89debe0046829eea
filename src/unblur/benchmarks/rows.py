"""Rows of a benchmark: one for each image, also for those that failed."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from unblur.errors import OutputError

__all__ = ["Row", "RowWriter"]


@dataclass(frozen=True)
class Row:
    """What was measured on one image; None where it does not apply or the image failed.

    Attributes:
        suite: Name of the suite.
        image: Name of the pair in the suite.
        method: Name of the method.
        protocol: What was cropped and aligned before scoring.
        seed: Given to the method.
        threads: Torch threads of the process that ran it.
        psnr: Of the restored image, dB.
        ssim: Of the restored image.
        psnr_input: Of the blurry image under the same protocol, dB.
        ssim_input: Of the blurry image.
        gain: `psnr - psnr_input`.
        shift_right: That was undone, pixels.
        shift_down: That was undone, pixels.
        error_ratio: Squared error over that of the restoration with the true kernel.
        error_ratio_spectral: The same with the largest singular value of the error, not squared.
        kernel_similarity: Of the kernel that was found with the true one, 1 is equal.
        kernel_rmse: Of the kernel that was found, in a frame of 45x45 pixels.
        seconds: For the restoration alone.
        peak_mb: Largest resident memory of the process during the restoration; since the process began where the
            system cannot forget an earlier peak (outside Linux).
        warnings: Of the method, joined by `; `.
        error: Why the image failed; empty if it did not.
    """

    suite: str
    image: str
    method: str
    protocol: str
    seed: int
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
    seconds: float | None = None
    peak_mb: float | None = None
    warnings: str = ""
    error: str = ""


class RowWriter:
    """Appends rows to a new CSV file; each goes out as one write, so a killed run leaves whole rows."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise OutputError(f"the rows cannot be written: {(error.strerror or 'unknown reason').lower()}") from error
        self._write([field.name for field in fields(Row)])

    def append(self, row: Row) -> None:
        """Write one row.

        Raises:
            OutputError: The disk is full or gone.
        """
        self._write([_text(value) for value in asdict(row).values()])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def _write(self, values: list[str]) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(values)
        try:
            os.write(self._file, line.getvalue().encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise OutputError(f"the rows cannot be written: {(error.strerror or 'unknown reason').lower()}") from error


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
