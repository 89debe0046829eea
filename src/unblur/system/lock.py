"""One run to a folder."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from unblur.errors import TrainingError

__all__ = ["LOCK_NAME", "hold_folder"]

LOCK_NAME = "lock"


@contextmanager
def hold_folder(folder: Path, *, force: bool = False) -> Generator[None]:
    """Within, no other run may write into the folder.

    The system frees the lock of a process that dies, and the next run takes it over; worker processes do not inherit
    it. Locks of other machines on a network disk are not always seen, so their names in the file count too.

    Args:
        folder: It exists.
        force: Take over the lock of a run on another machine.

    Raises:
        TrainingError: Another run holds the folder; the message says which.
    """
    file = folder / LOCK_NAME
    lock = FileLock(file, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise TrainingError(f"another run is writing into this folder ({_holder(file)})") from None
    try:
        _check_machine(_holder(file), force=force)
        file.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}), encoding="utf-8")
        try:
            yield
        finally:
            file.write_text("", encoding="utf-8")
    finally:
        lock.release()


def _holder(file: Path) -> str:
    """Who wrote into the lock: `process 12 on host`; empty if nobody."""
    try:
        facts = json.loads(file.read_bytes())
        return f"process {facts['pid']} on {facts['host']}"
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _check_machine(holder: str, *, force: bool) -> None:
    host = holder.partition(" on ")[2]
    if host and host != socket.gethostname() and not force:
        raise TrainingError(f"the folder belongs to {holder}; if that run is over, take the folder with --force")
