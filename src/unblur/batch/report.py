"""Results by photo for other programs: one JSON object a line."""

from __future__ import annotations

import json
import os
import stat
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

from unblur.batch.jobs import Replaceable
from unblur.batch.places import Place
from unblur.batch.work import PhotoResult
from unblur.errors import OutputError, UsageError
from unblur.methods.options import RestoreOptions
from unblur.system.atomic import atomic_write
from unblur.system.scratch import write_all
from unblur.system.streams import why_not_written, write_stdout

__all__ = ["Report", "report_line"]

_START = b'{"input": '


class Report:
    """The file of a report, open: each line is in it, whole, as soon as it is written.

    Args:
        place: Name of the file, `-` for standard output.
        replaceable: `"anything"`: replace a file of that name; `"own"`: go on at the end of an earlier report.

    Raises:
        UsageError: A file of that name exists.
        OutputError: The file cannot be written to.
    """

    def __init__(self, place: str, replaceable: Replaceable) -> None:
        self._place = place
        self._file: int | None = None
        if place == "-":
            return
        try:
            self._file = _open(Path(place), replaceable)
        except OSError as error:
            raise self._error(error) from error

    def __enter__(self) -> Report:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)

    def add(self, outcome: PhotoResult, options: RestoreOptions) -> None:
        """Write a photo's line.

        Raises:
            OutputError: It cannot be written; no part of it stays in the file.
        """
        line = f"{report_line(outcome, options)}\n".encode("ascii")
        try:
            if self._file is None:
                write_stdout(line)
            else:
                _append(self._file, line)
        except OSError as error:
            raise self._error(error) from error

    def _error(self, error: OSError) -> OutputError:
        return OutputError(f"the report {self._place} cannot be written: {why_not_written(error)}")


def report_line(outcome: PhotoResult, options: RestoreOptions) -> str:
    """One line of ASCII, without its end.

    Names keep every byte: control characters and what is not UTF-8 are escaped as JSON has it (a byte that is no UTF-8
    becomes a lone surrogate, which `os.fsencode` turns back).
    """
    row: dict[str, Any] = {
        "input": _name(outcome.input),
        "output": _name(outcome.output) if outcome.status != "failed" else None,
        "status": outcome.status,
        "error": outcome.error or None,
        "warnings": list(outcome.warnings),
        "method": outcome.method,
        "settings": outcome.settings,
        "kernel_size": list(outcome.kernel_size) if outcome.kernel_size else None,
        "seconds": round(outcome.seconds, 3),
        "peak_mb": round(outcome.peak_mb, 1),
        "device": outcome.device,
        "options": options.as_plain(),
        "facts": outcome.facts,
        "version": version("unblur"),
    }
    return json.dumps(row, ensure_ascii=True, default=str)


def _open(path: Path, replaceable: Replaceable) -> int:
    """Descriptor of the report, at its end."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(path):
        return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
    if replaceable == "anything":
        atomic_write(path, b"", overwrite=True)  # as images: a link is replaced, not what it leads to
        return os.open(path, flags)
    if replaceable == "own" and _is_report(path):
        file = os.open(path, flags)
        os.ftruncate(file, _end_of_last_line(path))
        os.lseek(file, 0, os.SEEK_END)
        return file
    raise UsageError(
        f"the report {path} exists already; --overwrite replaces it, --resume goes on in an earlier report"
    )


def _is_report(path: Path) -> bool:
    """Whether it is empty or begins as our reports do."""
    if not stat.S_ISREG(path.lstat().st_mode):
        return False
    with path.open("rb") as file:
        start = file.read(len(_START))
    return start == _START[: len(start)]


def _end_of_last_line(path: Path) -> int:
    """Where the last whole line ends: a run that was killed may have cut one short."""
    return path.read_bytes().rfind(b"\n") + 1


def _append(file: int, line: bytes) -> None:
    before = os.lseek(file, 0, os.SEEK_CUR)
    try:
        write_all(file, line)
    except OSError:
        os.ftruncate(file, before)
        raise


def _name(path: Place | str | None) -> str:
    return "-" if path is None else str(path)
