"""Which processes live that a test has started."""

import os
from collections.abc import Callable
from pathlib import Path


def processes(wanted: Callable[[list[str], Path], bool]) -> list[int]:
    """Living processes, by their numbers, for which `wanted(stat fields after the name, folder)` holds."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            if status[0] != "Z" and wanted(status, folder):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def workers_of(parent: int) -> list[int]:
    """Workers of a pool; not the decoding process, which each process keeps."""
    return processes(
        lambda status, folder: (
            int(status[1]) == parent and b"unblur.system.pool_worker" in (folder / "cmdline").read_bytes()
        )
    )


def relatives() -> list[int]:
    """All that was started by this test, wherever it belongs by now: it has the test's own environment."""
    mark = f"XDG_STATE_HOME={os.environ['XDG_STATE_HOME']}".encode()
    return processes(lambda _, folder: mark in (folder / "environ").read_bytes())
