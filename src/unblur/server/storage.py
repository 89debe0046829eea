"""The private folder of a server: a subfolder for each photo, and nothing in it that outlives the process for long."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["Storage"]

_PREFIX = "unblur-server-"
_LOCK = "lock"


class Storage:
    """A folder that nobody else can read, for the files of the photos that are worked on.

    Names in it are made here; nothing that a client says is part of a path. The system frees the lock in it when this
    process ends, however that happens, and the next server removes what is left.

    Args:
        place: Where the folder is made; None: where the system keeps temporary files.
    """

    def __init__(self, place: Path | None = None) -> None:
        parent = Path(tempfile.gettempdir() if place is None else place)
        _remove_leftovers(parent)
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._lock = FileLock(self.folder / _LOCK, timeout=0)
        self._lock.acquire()

    def make_folder(self) -> Path:
        """A new, empty folder."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def remove(self, folder: Path) -> None:
        """Remove a folder with all that is in it."""
        shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Remove everything."""
        self.remove(self.folder)
        self._lock.release()


def _remove_leftovers(parent: Path) -> None:
    """Remove the folders of servers of this user that were killed; those of running ones are locked."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError, Timeout):
            is_own = folder.lstat().st_uid == os.getuid() and folder.is_dir() and not folder.is_symlink()
            if is_own and (folder / _LOCK).is_file():
                with FileLock(folder / _LOCK, timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)
