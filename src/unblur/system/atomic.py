"""Files that are either whole under their name or not there at all, and the folders they go into."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from unblur.errors import OutputError, UnblurError, WriteError
from unblur.system.scratch import write_all

__all__ = ["TEMPORARY_PREFIX", "atomic_write", "explain", "make_folder"]

TEMPORARY_PREFIX = ".unblur-"

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
    path: str | os.PathLike[str], data: bytes | memoryview, *, overwrite: bool = False, read_back: bool = False
) -> None:
    """Write a file so that its name never stands for part of it, not even after a crash.

    The bytes go to a temporary file in the same folder, to the disk, and only then under the name.

    Args:
        path: Name of the file; its folder must exist.
        data: All of its bytes.
        overwrite: Replace a file of that name.
        read_back: Read what was written and compare, before it gets the name.

    Raises:
        WriteError: The name is taken, is a folder's, or cannot be a name, or other bytes are read back than were
            written; other outputs may succeed.
        OutputError: The folder cannot be written to; no output will succeed.
    """
    target = Path(path)
    try:
        _refuse(target, overwrite=overwrite)
        temporary = target.with_name(TEMPORARY_PREFIX + secrets.token_hex(8))
        try:
            _write_through(temporary, data)
            if read_back and temporary.read_bytes() != data:
                raise WriteError("cannot be written: the disk gives back other bytes than it got")
            _rename(temporary, target, overwrite=overwrite)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()
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


def _write_through(temporary: Path, data: bytes | memoryview) -> None:
    # 0o666 less the umask: what every program gives its outputs
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        write_all(file, data)
        os.fsync(file)
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
