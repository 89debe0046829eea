"""From what a user names (files, folders, patterns, lists, `-`) to the photos that are meant."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import BinaryIO

__all__ = ["IMAGE_SUFFIXES", "Failure", "Found", "explain", "find_inputs", "is_own_file", "split_list"]

IMAGE_SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)
"""Which files of a folder count as photos. A file named by itself may have any name: its content decides."""


@dataclass(frozen=True)
class Found:
    """One photo.

    Attributes:
        path: The file; None: standard input.
        place: Where it lies under the folder that was named; a bare name for a file named by itself.
    """

    path: Path | None
    place: Path


@dataclass(frozen=True)
class Failure:
    """Something that was named and cannot be used, with the reason."""

    path: Path
    reason: str


def find_inputs(
    names: Iterable[str], *, recursive: bool = False, avoid: Path | None = None
) -> Iterator[Found | Failure]:
    """The photos meant by `names`, in the order given, folders sorted.

    Args:
        names: Files, folders, patterns (`*`, `?`, `[...]`, where no file of that very name exists) or `-`.
        recursive: Folders with all that is below them. Links out of a folder are never followed.
        avoid: A folder that holds outputs, not inputs.
    """
    for name in names:
        if name == "-":
            yield Found(None, Path("stdin"))
        elif any(sign in name for sign in "*?[") and not os.path.lexists(name):
            yield from _match(name, recursive, avoid)
        else:
            yield from _look_at(Path(name), recursive, avoid)


def is_own_file(name: str) -> bool:
    """Whether a file of that name was made by unblur: an output or a temporary file."""
    return ".unblur." in name or name.endswith(".unblur") or name.startswith(".unblur-")


def split_list(stream: BinaryIO, *, null: bool = False) -> list[str]:
    """The file names in a list, one a line, or each ended by a zero byte; empty ones are left out."""
    names = stream.read().split(b"\0" if null else b"\n")
    # A name may hold a carriage return, but a list written on Windows ends each line with one.
    return [os.fsdecode(name if null else name.removesuffix(b"\r")) for name in names if name.strip(b"\r")]


def explain(error: OSError) -> str:
    """The reason of a failed system call in plain words."""
    words = {
        errno.ENOENT: "does not exist",
        errno.EACCES: "cannot be read: there is no permission",
        errno.EPERM: "cannot be read: there is no permission",
        errno.ELOOP: "is a loop of symbolic links",
        errno.ENAMETOOLONG: "has a name that is too long for this disk",
        errno.ENOTDIR: "does not exist",
    }
    return words.get(error.errno or 0) or (error.strerror or "the system gives no reason").lower()


def _match(pattern: str, recursive: bool, avoid: Path | None) -> Iterator[Found | Failure]:
    # Not Path.glob, which takes no absolute patterns.
    matches = sorted(name for name in glob.iglob(pattern, recursive=recursive) if not is_own_file(Path(name).name))  # noqa: PTH207
    if not matches:
        yield Failure(Path(pattern), "matches no file")
    for name in matches:
        yield from _look_at(Path(name), recursive, avoid)


def _look_at(path: Path, recursive: bool, avoid: Path | None) -> Iterator[Found | Failure]:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        yield Failure(path, explain(error))
        return
    except ValueError:
        yield Failure(path, "has a zero byte in its name")
        return
    if S_ISDIR(mode):
        yield from _walk(path, recursive, avoid)
    elif S_ISREG(mode):
        yield Found(path, Path(path.name))
    else:
        yield Failure(path, "is not a file but a device, pipe or socket; to pipe a photo in, its name is -")


def _walk(folder: Path, recursive: bool, avoid: Path | None) -> Iterator[Found | Failure]:
    """Photos of a folder: its files first, then its subfolders; neither loops nor links lead out of it."""
    root = folder.resolve()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as listing:
                entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            yield Failure(here, explain(error))
            continue
        below: list[Path] = []
        for entry in entries:
            path = here / entry.name
            if entry.is_dir(follow_symlinks=False):
                if recursive and (avoid is None or path.resolve() != avoid):
                    below.append(path)
            elif path.suffix.lower() in IMAGE_SUFFIXES and not is_own_file(entry.name):
                yield from _look_at_entry(entry, path, folder, root)
        waiting += reversed(below)


def _look_at_entry(entry: os.DirEntry[str], path: Path, folder: Path, root: Path) -> Iterator[Found | Failure]:
    """The photo behind one entry of a folder; pipes, devices and links that lead out of it are passed over."""
    if entry.is_symlink():
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            is_loop = isinstance(error, RuntimeError) or error.errno == errno.ELOOP
            yield Failure(path, "is a loop of symbolic links" if is_loop else "is a symbolic link to nothing")
            return
        if not target.is_relative_to(root) or not target.is_file():
            return
    elif not entry.is_file():
        return
    yield Found(path, path.relative_to(folder))
