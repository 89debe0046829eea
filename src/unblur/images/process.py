"""The parent's side of the decoding worker: start it, give it jobs, outlive it."""

from __future__ import annotations

import atexit
import math
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unblur.errors import ImageError, ReadError, TooLargeError
from unblur.images.limits import Limits
from unblur.system.link import receive, send

__all__ = ["DecodeWorker", "map_pixels", "shared_worker"]

_EXTRA_WALL_SECONDS = 20  # a busy machine gives a worker less than one processor


class DecodeWorker:
    """A worker process, started on first use and again after it died. Jobs of several threads wait in turn."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """Process number of the worker, None while there is none."""
        return self._process.pid if self._process else None

    def run(self, job: str, source: int, limits: Limits, **details: Any) -> tuple[dict[str, Any], int]:
        """Do one job in the worker.

        Args:
            job: A name in `decoding.JOBS`.
            source: Open descriptor of what the job works on; stays open.
            limits: What the job may cost.
            details: Further plain values for the job.

        Returns:
            The answer's header, and the descriptor of the pixels, which the caller closes.

        Raises:
            ReadError: The file is damaged or of a kind that is not read.
            TooLargeError: A limit was reached.
        """
        request = {
            "job": job,
            "max_pixels": limits.max_pixels,
            "cpu_seconds": limits.cpu_seconds,
            "memory": limits.memory,
            **details,
        }
        with self._lock:
            link = self._running()
            link.settimeout(limits.cpu_seconds + _EXTRA_WALL_SECONDS)
            try:
                send(link, request, source)
                answer, pixels = receive(link)
            except BaseException as error:
                # Whatever broke the exchange, an answer that comes later must not be taken for the next job's.
                status = self._stop()
                if isinstance(error, OSError | EOFError | ValueError):
                    raise _reason(error, status, limits) from None
                raise
        if pixels is None:
            kind = TooLargeError if answer.get("error") == "TooLargeError" else ReadError
            raise kind(str(answer.get("message", "could not be decoded")))
        return answer, pixels

    def close(self) -> None:
        """End the worker, if it runs."""
        with self._lock:
            if self._process is not None:
                self._process.kill()  # it has nothing to lose, and its own way out takes longer
            self._stop()

    def _running(self) -> socket.socket:
        """The link to a living worker."""
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        if self._link is None:
            ours, theirs = socket.socketpair()
            with theirs:
                self._process = _start(theirs.fileno())
            self._link = ours
        return self._link

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

    def forget(self) -> None:
        """Leave the worker to the process that started it (this one is a fork of that)."""
        if self._link is not None:
            self._link.close()
        if self._process is not None:
            self._process.returncode = 0  # not ours to wait for, nor to warn about
        self.__init__()


def _start(link: int) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).parents[2])
    inherited = os.environ.get("PYTHONPATH")
    environment = os.environ | {
        "PYTHONPATH": root + os.pathsep + inherited if inherited else root,
        "OPENBLAS_NUM_THREADS": "1",
        "VIPS_CONCURRENCY": "1",
    }
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        # -P: a numpy.py that lies in the user's photo folder must not be imported.
        [sys.executable, "-P", "-m", "unblur.images.worker", str(link), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # libtiff and libpng chatter there
        pass_fds=[link],
        env=environment,
        process_group=0,
    )


def _reason(error: Exception, status: int, limits: Limits) -> ImageError:
    """Why a worker died on a file, as an error for the user."""
    if isinstance(error, TimeoutError) or status == -signal.SIGXCPU:
        return TooLargeError(f"takes more than the allowed {limits.cpu_seconds} s to decode")
    if status == -signal.SIGKILL:
        return TooLargeError("needs more memory to decode than there is")
    if status >= 0:
        return ReadError("cannot be decoded: the decoding process could not start or ended on its own")
    return ReadError("makes the decoder crash; the file is damaged or malicious")


_shared = DecodeWorker()
atexit.register(_shared.close)
os.register_at_fork(after_in_child=_shared.forget)


def shared_worker() -> DecodeWorker:
    """The one worker of this process."""
    return _shared


def map_pixels(file: int, shape: tuple[int, int, int], dtype: str) -> tuple[NDArray[Any], bytes]:
    """The array in a scratch file, without a copy (its pages turn private when written), and the bytes after it.

    Raises:
        ReadError: The file is shorter than the shape says.
    """
    size, count = os.fstat(file).st_size, math.prod(shape)
    pixel_bytes = count * np.dtype(dtype).itemsize
    if not 0 < pixel_bytes <= size:
        raise ReadError("makes the decoder contradict itself; the file is damaged or malicious")
    data = mmap.mmap(file, size, access=mmap.ACCESS_COPY)
    return np.frombuffer(data, dtype, count).reshape(shape), data[pixel_bytes:]
