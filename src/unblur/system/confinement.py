"""What a process of a sandbox gives up for good, by means of the Linux kernel: files, programs, the network.

A parser that a hostile file took over can then do little more than answer wrongly. What a kernel or a container does
not offer is left out in silence; limits on time and memory hold in any case.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
from typing import Any

__all__ = ["confine"]

_MOST_FILES = 128
_SET_NO_NEW_PRIVILEGES, _SET_FILTER, _FILTER_MODE = 38, 22, 2  # of prctl

# Landlock (linux/landlock.h); its calls have these numbers on every architecture.
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_VERSION_WANTED = 1
_FILE_RIGHTS = {1: 0b1_1111_1111_0011, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""By version: run, write, make and remove anything (but not read), move, cut short, control devices."""
_NETWORK_RIGHTS = {4: 0b11}  # bind, connect
_SCOPES = {6: 0b11}  # abstract sockets and signals of other processes

# Classic BPF (linux/filter.h) on what seccomp shows of a call: its number, the architecture, its arguments.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_FOREIGN_NUMBERS = 0x40000000  # x32: other numbers for the same calls
_OF_A_THREAD = 0x00010000  # CLONE_THREAD

_ARCHITECTURES: dict[str, dict[str, Any]] = {
    "x86_64": {
        "mark": 0xC000003E,
        "clone": 56,
        # socket, socketpair, fork, vfork, execve, execveat, kill, ptrace, process_vm_readv, process_vm_writev
        "refused": (41, 53, 57, 58, 59, 322, 62, 101, 310, 311),
    },
    "aarch64": {
        "mark": 0xC00000B7,
        "clone": 220,
        # the same, without fork and vfork, which it lacks
        "refused": (198, 199, 221, 281, 129, 117, 270, 271),
    },
}
_REFUSED_EVERYWHERE = (424, 425)  # pidfd_send_signal; io_uring_setup, by which files are opened past every filter
_CLONE3 = 435  # its flags lie in memory, where no filter sees them; the C library then uses clone


def confine() -> frozenset[str]:
    """Give up for good: writing, making, removing and running files, sockets, processes, and signals to others.

    To be called before the process has threads. Reading files stays allowed, since libraries are loaded when they are
    needed; so do nameless files in memory.

    Returns:
        What took effect: `"files"` (Landlock) and `"calls"` (a seccomp filter).
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(_MOST_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    library = ctypes.CDLL(None)
    if not hasattr(library, "prctl") or library.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return frozenset()
    parts = {"files": _give_up_files(library), "calls": _give_up_calls(library)}
    return frozenset(name for name, took_effect in parts.items() if took_effect)


def _give_up_files(library: ctypes.CDLL) -> bool:
    """A Landlock ruleset without a single rule: nothing of what it handles is allowed."""
    version = library.syscall(_CREATE_RULESET, None, 0, _VERSION_WANTED)
    if version < 1:
        return False
    handled = [
        sum(right for since, right in rights.items() if since <= version)
        for rights in (_FILE_RIGHTS, _NETWORK_RIGHTS, _SCOPES)
    ]
    attributes = struct.pack("=QQQ", *handled)
    known = 8 if version < 4 else 16 if version < 6 else 24  # bytes
    ruleset = library.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(known), 0)
    if ruleset < 0:
        return False
    took_effect = library.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return took_effect


def _give_up_calls(library: ctypes.CDLL) -> bool:
    architecture = _ARCHITECTURES.get(platform.machine())
    if architecture is None:
        return False
    filter_ = _assemble(**architecture)
    code = ctypes.create_string_buffer(filter_, len(filter_))
    program = struct.pack("HP", len(filter_) // 8, ctypes.addressof(code))
    return library.prctl(_SET_FILTER, _FILTER_MODE, program, 0, 0) == 0


def _assemble(mark: int, clone: int, refused: tuple[int, ...]) -> bytes:
    """The filter's instructions: a test jumps over the next one unless it holds."""
    refuse, absent = _REFUSE | errno.EPERM, _REFUSE | errno.ENOSYS
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, mark),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        *_return_if(_IF_AT_LEAST, _FOREIGN_NUMBERS, refuse),
        *_return_if(_IF_EQUAL, _CLONE3, absent),
    ]
    for number in (*refused, *_REFUSED_EVERYWHERE):
        program += _return_if(_IF_EQUAL, number, refuse)
    program += [
        (_IF_EQUAL, 1, 0, clone),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        *_return_if(_IF_BITS, _OF_A_THREAD, _ALLOW),
        (_RETURN, 0, 0, refuse),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _return_if(test: int, value: int, answer: int) -> list[tuple[int, int, int, int]]:
    return [(test, 0, 1, value), (_RETURN, 0, 0, answer)]
