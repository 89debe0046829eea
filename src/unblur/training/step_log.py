"""Rows of numbers by step in a CSV file, without doubles or gaps after an interruption."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["StepLog"]


class StepLog:
    """A CSV file with a row for some of the steps, in order; the first column is `step`.

    A row that cannot be written now (full disk) is written with a later one.

    Args:
        path: The file; what is there stays, up to the step given to `rewind`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = 0
        self._waiting: list[str] = []

    def rewind(self, step: int) -> None:
        """Drop rows after `step`, and one that was not written to its end."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return
        whole = data[: data.rfind(b"\n") + 1].splitlines(keepends=True)
        kept = whole[:1] + [line for line in whole[1:] if int(line.partition(b",")[0]) <= step]
        self._size = sum(map(len, kept))
        os.truncate(self._path, self._size)

    def put(self, step: int, numbers: Mapping[str, float]) -> None:
        """Add a row.

        Raises:
            OSError: The row could not be written; it is kept for the next call.
        """
        if not self._size and not self._waiting:
            self._waiting.append(_line(["step", *numbers]))
        # the shortest form that reads back as the same number
        self._waiting.append(_line([str(step), *(repr(float(number)) for number in numbers.values())]))
        data = "".join(self._waiting).encode()
        with self._path.open("ab") as file:
            file.truncate(self._size)  # what an earlier attempt left behind
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._size += len(data)
        self._waiting.clear()


def _line(values: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()
