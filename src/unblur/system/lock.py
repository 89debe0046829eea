"""One run to a folder."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from unblur.errors import TrainingError

__all__ = ["LOCK_NAME", "hold_folder"]

LOCK_NAME = "lock"


@contextmanager
def hold_folder(folder: Path, *, force: bool = False) -> Generator[None]:
    """Within, no other run may write into the folder.

    The system frees the lock of a process that dies, and the next run takes it over. Locks of other machines on a
    network disk are not always seen, so their names are believed too.

    Args:
        folder: It exists.
        force: Take over the lock of a run on another machine.

    Raises:
        TrainingError: Another run holds the folder; the message says which.
    """
    # a record lock, because worker processes would inherit any other kind and outlive the run with it
    with (folder / LOCK_NAME).open("a+", encoding="utf-8") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TrainingError(f"another run is writing into this folder ({_holder(file.fileno())})") from None
        _check_machine(_holder(file.fileno()), force=force)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _holder(descriptor: int) -> str:
    """Who wrote into the lock: `process 12 on host`; empty if nobody."""
    try:
        facts = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {facts['pid']} on {facts['host']}"
    except (ValueError, LookupError, TypeError):
        return ""


def _check_machine(holder: str, *, force: bool) -> None:
    host = holder.partition(" on ")[2]
    if host and host != socket.gethostname() and not force:
        raise TrainingError(f"the folder belongs to {holder}; if that run is over, take the folder with --force")
