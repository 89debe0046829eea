"""Limits of the system on this process (`ulimit`): how much is left under them, and lowering them.

A limit that was set outside can be lowered and never raised, so what is wanted is cut to what is allowed.
"""

from __future__ import annotations

import resource
from pathlib import Path

__all__ = ["allow_more_memory", "allow_more_processor_time", "describe_memory_limit", "describe_processor_limit"]

_MEMORY, _PROCESSOR = resource.RLIMIT_AS, resource.RLIMIT_CPU
_GIVEN = {kind: resource.getrlimit(kind)[0] for kind in (_MEMORY, _PROCESSOR)}
"""The limits in force when this process began."""


def allow_more_memory(size: int) -> bool:
    """Let this process add at most `size` bytes of address space to what it has.

    Returns:
        Whether so much is left under the system's limit. If not, that limit stays in force.
    """
    statistics = Path("/proc/self/statm")
    if not statistics.exists():
        return True
    pages = int(statistics.read_text(encoding="ascii").split()[0])
    return _set_limit(_MEMORY, pages * resource.getpagesize() + size)


def allow_more_processor_time(seconds: int) -> bool:
    """Let this process use at most about `seconds` more of a processor.

    Returns:
        Whether so much is left under the system's limit. If not, that limit stays in force.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    return _set_limit(_PROCESSOR, int(used.ru_utime + used.ru_stime) + seconds + 1)


def describe_memory_limit() -> str:
    """The system's limit on the memory of a process, in words; empty where there is none."""
    given = _GIVEN[_MEMORY]
    return "" if given == resource.RLIM_INFINITY else f"{given / 1e6:.0f} MB of memory (ulimit -v)"


def describe_processor_limit(at_most: int) -> str:
    """The system's limit on the processor time of a process, in words; empty where it is above so many seconds."""
    given = _GIVEN[_PROCESSOR]
    is_higher = given == resource.RLIM_INFINITY or given > at_most
    return "" if is_higher else f"{given} s of processor time (ulimit -t)"


def _set_limit(kind: int, wanted: int) -> bool:
    given = _GIVEN[kind]
    is_free = given == resource.RLIM_INFINITY or wanted <= given
    resource.setrlimit(kind, (wanted if is_free else given, resource.getrlimit(kind)[1]))
    return is_free
