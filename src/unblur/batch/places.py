"""Where photos and outputs are: files of this machine, or objects in a store; a function for each thing done there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from unblur.errors import TooLargeError
from unblur.images.limits import Limits
from unblur.system import file_notes
from unblur.system.atomic import atomic_write, make_folder, remove_leftovers, temporary_file
from unblur.system.stores import Address, is_store

__all__ = [
    "Place",
    "attach_note",
    "describe",
    "exists",
    "holds",
    "is_described",
    "is_folder",
    "local_copy",
    "parse_place",
    "read_note",
    "write_file",
]

Place = Path | Address
"""A file or folder here, or in a store."""

_LOCAL = "file://"


def parse_place(name: str) -> Place:
    """What a user's name means: a path, `file://PATH`, or the address of a store."""
    return Address.parse(name) if is_store(name) else Path(name.removeprefix(_LOCAL))


def exists(place: Place) -> bool:
    """Whether the name is taken, be it by a link to nothing."""
    return place.exists() if isinstance(place, Address) else os.path.lexists(place)


def is_folder(place: Place) -> bool:
    """Whether it is a folder."""
    return place.is_folder() if isinstance(place, Address) else place.is_dir()


def holds(place: Place, data: bytes | memoryview) -> bool:
    """Whether a file has these very bytes."""
    if isinstance(place, Address):
        return place.holds(bytes(data))
    try:
        return place.stat().st_size == len(data) and place.read_bytes() == data
    except OSError:
        return False


def write_file(place: Place, data: bytes | memoryview, *, overwrite: bool, note: dict[str, Any] | None) -> None:
    """Write a file whole or not at all, and its folder if need be.

    Raises:
        WriteError: The name is taken, or this file cannot be written.
        OutputError: Nothing can be written there.
    """
    if isinstance(place, Path):
        make_folder(place.parent)
        atomic_write(place, data, overwrite=overwrite, note=note)
        return
    whole = bytes(data)
    if note is not None:
        place.attach_note(whole, note)
    place.write(whole, overwrite=overwrite)


def attach_note(place: Place, data: bytes | memoryview, note: dict[str, Any]) -> None:
    """Note something of a file that is there."""
    if isinstance(place, Address):
        place.attach_note(bytes(data), note)
    else:
        file_notes.attach_note(place, data, note)


def read_note(place: Place) -> file_notes.FileNote | None:
    """What was noted of a file; None: nothing."""
    return place.read_note() if isinstance(place, Address) else file_notes.read_note(place)


def describe(place: Place) -> dict[str, Any]:
    """Size, time and SHA-256 of a file.

    Raises:
        OSError: It cannot be read.
        ReadError: A store does not answer.
    """
    return place.describe() if isinstance(place, Address) else file_notes.describe_file(place)


def is_described(place: Place, description: Any) -> bool:
    """Whether a file is the one that was described by `describe`."""
    if isinstance(place, Address):
        return place.is_described(description)
    return file_notes.is_described(place, description)


@contextmanager
def local_copy(place: Place, limits: Limits) -> Generator[Path]:
    """A file of this machine with what is at a place: itself, or a copy that is removed in the end.

    The copy has the object's time, so that what is noted of it is found again in the object.

    Raises:
        FileNotFoundError: There is nothing.
        ReadError: A store does not answer.
        TooLargeError: There is more than may be read.
    """
    if isinstance(place, Path):
        yield place
        return
    facts = place.stat()
    if facts.st_size > limits.max_bytes:
        raise TooLargeError(f"is a file of {facts.st_size / 1e6:.0f} MB; {limits.max_bytes / 1e6:.0f} MB are allowed")
    with temporary_file(_scratch_folder()) as (_, copy):
        place.fetch(copy)
        os.utime(copy, ns=(facts.st_mtime_ns, facts.st_mtime_ns))
        yield copy


@cache
def _scratch_folder() -> Path:
    """The system's folder for temporary files, without those of earlier processes that were killed."""
    folder = Path(tempfile.gettempdir())
    remove_leftovers(folder)
    return folder
