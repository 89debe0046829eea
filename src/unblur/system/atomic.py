"""Files that are either whole under their name or not there at all, and the folders they go into."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from unblur.errors import OutputError, UnblurError, WriteError
from unblur.system.file_notes import attach_note
from unblur.system.scratch import write_all

__all__ = ["TEMPORARY_PREFIX", "atomic_write", "explain", "make_folder", "remove_leftovers", "temporary_file"]

TEMPORARY_PREFIX = ".unblur-"
_TEMPORARY = re.compile(re.escape(TEMPORARY_PREFIX) + "[0-9a-f]{16}")

_EXISTS = "exists already; choose another name or allow overwriting"
# What goes wrong with the folder or its disk goes wrong for every further output too.
_PLACE_UNUSABLE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the place for outputs is read-only",
    errno.EACCES: "there is no permission to write into the output folder",
    errno.EPERM: "there is no permission to write into the output folder",
    errno.ENOENT: "the output folder does not exist",
    errno.ENOTDIR: "the output folder is not a folder",
    errno.EIO: "the disk of the output folder reports an error",
}
_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def atomic_write(
    path: str | os.PathLike[str],
    data: bytes | memoryview,
    *,
    overwrite: bool = False,
    read_back: bool = False,
    note: dict[str, Any] | None = None,
) -> None:
    """Write a file so that its name never stands for part of it, not even after a crash.

    The bytes go to a temporary file in the same folder, to the disk, and only then under the name.

    Args:
        path: Name of the file; its folder must exist.
        data: All of its bytes.
        overwrite: Replace a file of that name.
        read_back: Read what was written and compare, before it gets the name.
        note: Kept with the file (see `file_notes`), from before it gets the name.

    Raises:
        WriteError: The name is taken, is a folder's, or cannot be a name, or other bytes are read back than were
            written; other outputs may succeed.
        OutputError: The folder cannot be written to; no output will succeed.
    """
    target = Path(path)
    try:
        _refuse(target, overwrite=overwrite)
        with temporary_file(target.parent) as (file, temporary):
            write_all(file, data)
            if note is not None:
                attach_note(temporary, data, note, name=target.name)
            os.fsync(file)
            if read_back and temporary.read_bytes() != data:
                raise WriteError("cannot be written: the disk gives back other bytes than it got")
            _rename(temporary, target, overwrite=overwrite)
        _sync_folder(target.parent)
    except OSError as error:
        raise explain(error) from error
    except ValueError:
        raise WriteError("cannot be written: its name has a zero byte or no last part") from None


def make_folder(folder: Path) -> None:
    """Make a folder for outputs, and those above it, if it is not there.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise OutputError(f"the folder {str(folder)!r} cannot be made: {reason}") from error


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of runs that were killed; those of running processes are locked and stay."""
    try:
        found = [path for path in folder.iterdir() if _TEMPORARY.fullmatch(path.name)]
    except OSError:
        return
    for path in found:
        with suppress(OSError):
            _remove_unlocked(path)


def _refuse(target: Path, *, overwrite: bool) -> None:
    """Stop early, before work is done, where the outcome is certain."""
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise WriteError("is a folder; a file cannot be written under its name")
    if not overwrite:
        raise WriteError(_EXISTS)
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise OutputError("the output is a device, pipe or socket; only files are replaced")


@contextmanager
def temporary_file(folder: Path) -> Generator[tuple[int, Path]]:
    """A new file, open and with its name. The system frees its lock when this process ends, however that happens."""
    file, temporary = _open_temporary(folder)
    try:
        yield file, temporary
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
        os.close(file)


def _open_temporary(folder: Path) -> tuple[int, Path]:
    while True:
        temporary = folder / (TEMPORARY_PREFIX + secrets.token_hex(8))
        # 0o666 less the umask: what every program gives its outputs
        file = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with suppress(OSError):  # where nothing can be locked, nothing is removed either
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_nlink:
            return file, temporary
        os.close(file)  # `remove_leftovers` of another run came between opening and locking


def _remove_unlocked(temporary: Path) -> None:
    file = os.open(temporary, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if stat.S_ISREG(os.fstat(file).st_mode):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            temporary.unlink()
    finally:
        os.close(file)


def _rename(temporary: Path, target: Path, *, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(target)
        return
    try:
        target.hardlink_to(temporary)  # unlike a rename, fails if the name exists
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        # FAT and some network disks have no links: the check and the rename are two steps there.
        if os.path.lexists(target):
            raise WriteError(_EXISTS) from None
        temporary.replace(target)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):  # some network disks cannot sync a folder
            raise
    finally:
        os.close(descriptor)


def explain(error: OSError) -> UnblurError:
    """The error of ours that stands for a failed write: of this file alone, or of its folder or disk."""
    if isinstance(error, FileExistsError):
        return WriteError(_EXISTS)
    if error.errno in _PLACE_UNUSABLE:
        return OutputError(_PLACE_UNUSABLE[error.errno])
    if error.errno == errno.ENAMETOOLONG:
        return WriteError("cannot be written: its name is too long for this disk")
    return WriteError(f"cannot be written: {(error.strerror or 'unknown reason').lower()}")
