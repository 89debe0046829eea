"""From what a user names (files, folders, patterns, lists, `-`) to the photos that are meant."""

from __future__ import annotations

import errno
import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import BinaryIO

from unblur.batch.places import Place, parse_place
from unblur.errors import ReadError, UsageError
from unblur.images.unsupported import RAW_SUFFIXES, can_read_heif, can_read_raw, unsupported_kind
from unblur.system.stores import Address, is_store

__all__ = [
    "IMAGE_SUFFIXES",
    "Failure",
    "Found",
    "SkippedFile",
    "describe_skipped",
    "explain",
    "find_inputs",
    "is_address",
    "is_own_file",
    "split_list",
]

IMAGE_SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)
"""Which files of a folder count as photos. A file named by itself may have any name: its content decides."""

_HEIF_SUFFIXES = frozenset({".heic", ".heif", ".hif"})
_LARGEST_LIST = 256 << 20


@dataclass(frozen=True)
class Found:
    """One photo.

    Attributes:
        path: The file, here or in a store; None: standard input.
        place: Where it lies under the folder that was named; a bare name for a file named by itself.
    """

    path: Place | None
    place: Path


@dataclass(frozen=True)
class Failure:
    """Something that was named and cannot be used, with the reason."""

    name: str
    reason: str


@dataclass(frozen=True)
class SkippedFile:
    """Something in a folder that is not taken for a photo.

    Attributes:
        path: The file or folder.
        kind: What it is, in the singular: "HEIC file".
        reason: Why it is passed over, or what makes it a photo.
    """

    path: Place
    kind: str
    reason: str


def find_inputs(
    names: Iterable[str], *, recursive: bool = False, avoid: frozenset[Place] = frozenset()
) -> Iterator[Found | Failure | SkippedFile]:
    """The photos meant by `names`, in the order given, folders sorted.

    Args:
        names: Files, folders, patterns (`*`, `?`, `[...]`, where no file of that very name exists) or `-`.
        recursive: Folders with all that is below them. Links out of a folder are never followed.
        avoid: Folders that hold outputs, not inputs.
    """
    for name in names:
        if name == "-":
            yield Found(None, Path("stdin"))
        elif is_address(name):
            yield Failure(name, "is an address, and only files are read; download the photo first")
        elif isinstance(place := parse_place(name), Address):
            yield from _examine_stored(place, recursive, avoid)
        elif any(sign in name for sign in "*?[") and not os.path.lexists(place):
            yield from _match(str(place), recursive, avoid)
        else:
            yield from _examine(place, recursive, avoid)


def describe_skipped(items: Iterable[SkippedFile]) -> str:
    """How many of each kind, and why: `2 HEIC files (install ...), 1 subfolder (...)`; empty if there are none."""
    counts = Counter((item.kind, item.reason) for item in items)
    return ", ".join(f"{count} {kind}{'s' * (count > 1)} ({reason})" for (kind, reason), count in counts.items())


def is_address(name: str) -> bool:
    """Whether it is the address of something on the web, such as `https://...`: no file, and in no store."""
    looks_so = re.match(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]+://", name) is not None
    return looks_so and not is_store(name) and not os.path.lexists(name)


def is_own_file(name: str) -> bool:
    """Whether a file of that name was made by unblur: an output or a temporary file."""
    return ".unblur." in name or name.endswith(".unblur") or name.startswith(".unblur-")


def split_list(stream: BinaryIO, *, null: bool = False) -> list[str]:
    """The file names in a list, one a line, or each ended by a zero byte; empty ones are left out.

    Raises:
        UsageError: The list is larger than any list of files could be.
    """
    text = stream.read(_LARGEST_LIST + 1)
    if len(text) > _LARGEST_LIST:
        raise UsageError(f"the list of photos is larger than {_LARGEST_LIST >> 20} MB")
    names = text.split(b"\0" if null else b"\n")
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


def _match(pattern: str, recursive: bool, avoid: frozenset[Place]) -> Iterator[Found | Failure | SkippedFile]:
    # Not Path.glob, which takes no absolute patterns.
    matches = sorted(name for name in glob.iglob(pattern, recursive=recursive) if not is_own_file(Path(name).name))  # noqa: PTH207
    if not matches:
        yield Failure(pattern, "matches no file")
    for name in matches:
        yield from _examine(Path(name), recursive, avoid)


def _examine(path: Path, recursive: bool, avoid: frozenset[Place]) -> Iterator[Found | Failure | SkippedFile]:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        yield Failure(str(path), explain(error))
        return
    except ValueError:
        yield Failure(str(path), "has a zero byte in its name")
        return
    if S_ISDIR(mode):
        yield from _walk(path, recursive, avoid)
    elif S_ISREG(mode):
        yield Found(path, Path(path.name))
    else:
        yield Failure(str(path), "is not a file but a device, pipe or socket; to pipe a photo in, its name is -")


def _walk(folder: Path, recursive: bool, avoid: frozenset[Place]) -> Iterator[Found | Failure | SkippedFile]:
    """Photos of a folder: its files first, then its subfolders; neither loops nor links lead out of it."""
    root = folder.resolve()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as listing:
                entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            yield Failure(str(here), explain(error))
            continue
        below: list[Path] = []
        for entry in entries:
            path = here / entry.name
            if not entry.is_dir(follow_symlinks=False):
                yield from _examine_entry(entry, path, folder, root)
            elif not recursive:
                yield SkippedFile(path, "subfolder", "--recursive takes what is in it")
            elif path.resolve() not in avoid:
                below.append(path)
        waiting += reversed(below)


def _examine_entry(
    entry: os.DirEntry[str], path: Path, folder: Path, root: Path
) -> Iterator[Found | Failure | SkippedFile]:
    """The photo behind one entry of a folder that is no folder itself."""
    if entry.name.startswith(".unblur"):
        return
    if is_own_file(entry.name):
        yield SkippedFile(path, "unblur output", "to restore it again, name it")
    elif not _may_be_photo(path):
        yield from _explain_other(entry, path)
    elif entry.is_symlink():
        yield from _follow(path, folder, root)
    elif entry.is_file():
        yield Found(path, path.relative_to(folder))
    else:
        yield SkippedFile(path, "special file", "it is a device, pipe or socket")


def _examine_stored(
    address: Address, recursive: bool, avoid: frozenset[Place]
) -> Iterator[Found | Failure | SkippedFile]:
    """What a name in a store means: an object, a folder of them, or a pattern."""
    try:
        if address.exists():
            yield Found(address, Path(address.name))
        elif any(sign in address.key for sign in "*?["):
            matches = [match for match in address.match() if not is_own_file(match.name)]
            yield from (Found(match, Path(match.name)) for match in matches)
            if not matches:
                yield Failure(str(address), "matches no file")
        elif address.is_folder():
            yield from _walk_stored(address, recursive, avoid)
        else:
            yield Failure(str(address), "does not exist")
    except ReadError as error:
        yield Failure(str(address), str(error))


def _walk_stored(folder: Address, recursive: bool, avoid: frozenset[Place]) -> Iterator[Found | SkippedFile]:
    """Photos of a folder in a store."""
    outputs = [place for place in avoid if isinstance(place, Address) and place != folder]
    for address in folder.files(recursive=recursive):
        place = Path(address.key.removeprefix(folder.key).strip("/"))
        if any(part.startswith(".unblur") for part in place.parts) or any(map(address.is_below, outputs)):
            continue
        if is_own_file(address.name):
            yield SkippedFile(address, "unblur output", "to restore it again, name it")
        elif _may_be_photo(address):
            yield Found(address, place)
        else:
            yield SkippedFile(address, "other file", "its name is not that of a photo")
    if not recursive:
        below = (other for other in folder.folders() if not other.name.startswith(".unblur"))
        yield from (SkippedFile(other, "subfolder", "--recursive takes what is in it") for other in below)


def _may_be_photo(path: Place) -> bool:
    suffix = path.suffix.lower()
    if suffix in RAW_SUFFIXES:
        return can_read_raw()
    return suffix in IMAGE_SUFFIXES or (suffix in _HEIF_SUFFIXES and can_read_heif())


def _explain_other(entry: os.DirEntry[str], path: Path) -> Iterator[SkippedFile]:
    """Why a file is not taken for a photo; hidden files are not reported."""
    kind = unsupported_kind(path) if entry.is_file(follow_symlinks=False) else None
    if kind is not None:
        yield SkippedFile(path, f"{kind.name} file", kind.advice)
    elif not entry.name.startswith("."):
        yield SkippedFile(path, "other file", "its name is not that of a photo")


def _follow(path: Path, folder: Path, root: Path) -> Iterator[Found | Failure | SkippedFile]:
    """The photo behind a symbolic link; links that lead out of the folder, or to what is no file, are passed over."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        is_loop = isinstance(error, RuntimeError) or error.errno == errno.ELOOP
        yield Failure(str(path), "is a loop of symbolic links" if is_loop else "is a symbolic link to nothing")
        return
    if target.is_relative_to(root) and target.is_file():
        yield Found(path, path.relative_to(folder))
    else:
        yield SkippedFile(path, "symbolic link", "it leads out of the folder, or to what is no file")
