"""Memory of one piece of work in a process that does many: its peak, and its end."""

from __future__ import annotations

import errno
import resource
import sys
from pathlib import Path

__all__ = ["is_out_of_memory", "peak_mb", "restart_peak"]

_SHORTAGES = ("out of memory", "can't allocate memory", "not enough memory", "insufficient memory", "bad_alloc")


def restart_peak() -> None:
    """Forget the peak so far, where the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_mb() -> float:
    """Largest resident memory in MB since `restart_peak`; where that does nothing, since the process began."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024 / 1e6


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, of NumPy, torch, the libraries below them or the system, is one of too little memory."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(shortage in words for shortage in _SHORTAGES)
