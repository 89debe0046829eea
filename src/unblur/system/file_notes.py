"""A note kept with a file: in an attribute of the file itself, or in a journal beside it where there are none.

An attribute goes where the file goes when it is moved or renamed. File systems without attributes (FAT, some network
disks) get one journal in each folder. A note that is lost costs work, never correctness.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

__all__ = ["JOURNAL_NAME", "FileNote", "attach_note", "describe_file", "is_described", "read_note"]

JOURNAL_NAME = ".unblur.jsonl"

_ATTRIBUTE = "user.unblur"
_LARGEST_JOURNAL = 256 << 20


@dataclass(frozen=True)
class FileNote:
    """What is noted of a file.

    Attributes:
        values: What was noted.
        is_unchanged: The file is as it was when it got its note.
    """

    values: dict[str, Any]
    is_unchanged: bool


def attach_note(path: Path, data: bytes | memoryview, values: dict[str, Any], *, name: str = "") -> None:
    """Keep a note with a file, as far as the file system allows.

    Args:
        path: The file.
        data: Its bytes.
        values: What JSON can hold.
        name: The name in this folder that the file is about to get; empty: it keeps its own.
    """
    facts = path.stat()
    state = {"size": facts.st_size, "mtime_ns": facts.st_mtime_ns, "sha256": sha256(data).hexdigest()}
    note = {"values": values, "file": state}
    try:
        os.setxattr(path, _ATTRIBUTE, json.dumps(note).encode())
    except (OSError, AttributeError):  # there are no attributes here, or not on this system
        with suppress(OSError):
            _append(path.with_name(JOURNAL_NAME), json.dumps({"name": name or path.name, **note}))


def read_note(path: Path) -> FileNote | None:
    """The note that was kept with a file; None where there is none."""
    note = _read_attribute(path) or _read_journal(path.with_name(JOURNAL_NAME)).get(path.name)
    if not isinstance(note, dict) or not isinstance(note.get("values"), dict):
        return None
    return FileNote(note["values"], is_described(path, note.get("file")))


def describe_file(path: Path) -> dict[str, Any]:
    """Size, time and SHA-256 of a file.

    Raises:
        OSError: It cannot be read.
    """
    facts = path.stat()
    return {"size": facts.st_size, "mtime_ns": facts.st_mtime_ns, "sha256": _digest(path)}


def is_described(path: Path, description: Any) -> bool:
    """Whether a file is the one that `describe_file` described: by size and time, or else by its content."""
    if not isinstance(description, dict):
        return False
    try:
        facts = path.stat()
        if facts.st_size != description.get("size"):
            return False
        return facts.st_mtime_ns == description.get("mtime_ns") or _digest(path) == description.get("sha256")
    except OSError:
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _read_attribute(path: Path) -> Any:
    try:
        return json.loads(os.getxattr(path, _ATTRIBUTE))
    except (OSError, AttributeError, ValueError, RecursionError):
        return None


def _read_journal(place: Path) -> dict[str, Any]:
    try:
        facts = place.lstat()
    except OSError:
        return {}
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST_JOURNAL:
        return {}
    return _parse_journal(place, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=8)
def _parse_journal(place: Path, _time: int, _size: int) -> dict[str, Any]:
    """The last note on each name; a line that was cut short by a crash is passed over."""
    notes: dict[str, Any] = {}
    try:
        lines = place.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return notes
    for line in lines:
        with suppress(ValueError, LookupError, TypeError, RecursionError):
            note = json.loads(line)
            notes[note["name"]] = note
    return notes


def _append(place: Path, line: str) -> None:
    # Never through a link, and never into a pipe. One write of one line to a file opened for appending: other
    # processes cannot mix theirs into it; the line end in front parts it from one that was cut short.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    file = os.open(place, flags, 0o666)
    try:
        if stat.S_ISREG(os.fstat(file).st_mode):
            os.write(file, f"\n{line}\n".encode())
    finally:
        os.close(file)
