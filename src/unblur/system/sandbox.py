"""Work on files that may be hostile, in a process of its own: start it, give it jobs, survive its end.

A pool that hands out ready objects would not serve: here nothing that comes back is trusted, each job has limits of
its own, and pixels travel in files without a copy.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

from unblur.errors import ImageError, MemoryShortageError, ReadError, TooLargeError, UnblurError
from unblur.system.limits import describe_memory_limit, describe_processor_limit
from unblur.system.messages import receive, send

__all__ = ["Sandbox"]

_EXTRA_WALL_SECONDS = 20  # a busy machine gives a worker less than one processor


class Sandbox:
    """A worker process, started on first use and again after it died. Jobs of several threads wait in turn.

    Args:
        module: Name of a module of ours with `JOBS`, functions by name, and `complaint(error)`, a sentence on any error
            that a job does not turn into one of ours. A job takes an open file and the request, and returns a header
            of plain values and an open file.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        _all.add(self)

    @property
    def pid(self) -> int | None:
        """Process number of the worker, None while there is none."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the worker ahead of its first job, which then does not wait for that. Returns at once."""
        with self._lock:
            self._running()

    def run(
        self, job: str, source: int, *, cpu_seconds: int, memory: int, target: int | None = None, **details: Any
    ) -> tuple[dict[str, Any], int | None]:
        """Do one job in the worker.

        Args:
            job: A name in the module's `JOBS`.
            source: Open descriptor of what the job works on; stays open.
            cpu_seconds: Processor time that the job may take.
            memory: Bytes of address space that the job may add to the process.
            target: Open descriptor of a file that the job may write into; stays open. The worker can make none.
            details: Further plain values for the job.

        Returns:
            The answer's header, and the descriptor of what came with it, which the caller closes.

        Raises:
            ReadError: The file makes the worker crash, or its parser fails.
            TooLargeError: A limit was reached.
            UnblurError: What the job itself raised.
        """
        request = {"job": job, "cpu_seconds": cpu_seconds, "memory": memory, **details}
        with self._lock:
            link = self._running()
            link.settimeout(cpu_seconds + _EXTRA_WALL_SECONDS)
            try:
                send(link, request, source, *([] if target is None else [target]))
                answer, results = receive(link)
            except BaseException as error:
                # Whatever broke the exchange, an answer that comes later must not be taken for the next job's.
                status = self._stop()
                if isinstance(error, OSError | EOFError | ValueError):
                    raise _reason(error, status, cpu_seconds) from None
                raise
            if answer.get("is_last"):
                self._kill()
        result = results[0] if results else None
        if "error" in answer:
            if result is not None:
                os.close(result)
            raise _error_of(answer)
        return answer, result

    def close(self) -> None:
        """End the worker, if it runs."""
        with self._lock:
            self._kill()

    def forget(self) -> None:
        """Leave the worker to the process that started it (this one is a fork of that)."""
        if self._link is not None:
            self._link.close()
        if self._process is not None:
            self._process.returncode = 0  # not ours to wait for, nor to warn about
        self._lock, self._process, self._link = threading.Lock(), None, None

    def _running(self) -> socket.socket:
        """The link to a living worker."""
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        if self._link is None:
            ours, theirs = socket.socketpair()
            with theirs:
                self._process = _start(theirs.fileno(), self._module)
            self._link = ours
        return self._link

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()  # it has nothing to lose, and its own way out takes longer
        self._stop()

    def _stop(self) -> int:
        """Kill the worker unless it is dead already; returns how it ended."""
        if self._link is not None:
            self._link.close()
        status = 0
        if self._process is not None:
            try:
                # A worker whose link broke by its own death is about to become a zombie: let it show its own signal.
                status = self._process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._link = self._process = None
        return status


def _start(link: int, module: str) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).parents[2])
    inherited = os.environ.get("PYTHONPATH")
    environment = os.environ | {
        "PYTHONPATH": root + os.pathsep + inherited if inherited else root,
        "OPENBLAS_NUM_THREADS": "1",
        "VIPS_CONCURRENCY": "1",
    }
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        # -P: a numpy.py that lies in the user's photo folder must not be imported.
        [sys.executable, "-P", "-m", "unblur.system.sandbox_worker", str(link), str(os.getpid()), module],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # libtiff and libpng chatter there
        pass_fds=[link],
        env=environment,
        process_group=0,
    )


def _error_of(answer: dict[str, Any]) -> UnblurError:
    """The error that an answer of the worker stands for: one of ours, whatever the worker says."""
    limit = "" if answer.get("memory_is_free", True) else describe_memory_limit()
    if answer["error"] == "MemoryError":
        return (
            _over_limit(limit, MemoryShortageError)
            if limit
            else TooLargeError("needs more memory to decode than is allowed")
        )
    kind = getattr(sys.modules[UnblurError.__module__], str(answer["error"]), None)
    if not (isinstance(kind, type) and issubclass(kind, UnblurError)):
        kind = ReadError
    return kind(str(answer.get("message", "could not be read")))


def _reason(error: Exception, status: int, cpu_seconds: int) -> ImageError:
    """Why a worker died on a file, as an error for the user; a limit of the system is never the file's fault."""
    time_limit, memory_limit = describe_processor_limit(cpu_seconds), describe_memory_limit()
    if time_limit and status in (-signal.SIGXCPU, -signal.SIGKILL):
        return _over_limit(time_limit)
    if isinstance(error, TimeoutError) or status == -signal.SIGXCPU:
        return TooLargeError(f"takes more than the allowed {cpu_seconds} s to decode")
    if status == -signal.SIGKILL:
        return MemoryShortageError("needs more memory to decode than there is")
    if memory_limit and status in (0, 1, -signal.SIGABRT, -signal.SIGTRAP):  # how libraries end that get no memory
        return _over_limit(memory_limit, MemoryShortageError)
    if status >= 0:
        return ReadError("cannot be decoded: the decoding process could not start or ended on its own")
    return ReadError("makes the decoder crash; the file is damaged or malicious")


def _over_limit(limit: str, kind: type[TooLargeError] = TooLargeError) -> TooLargeError:
    return kind(f"cannot be read here: this system allows a process {limit}; raise that limit")


_all: weakref.WeakSet[Sandbox] = weakref.WeakSet()


def _close_all() -> None:
    for sandbox in list(_all):
        sandbox.close()


def _forget_all() -> None:
    for sandbox in list(_all):
        sandbox.forget()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_forget_all)
