"""The process in which files are decoded, so that a crash, a hang or a bomb in C code hurts nobody else.

Started as `python -m unblur.images.worker SOCKET PARENT`; one job at a time, until the other end closes.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from unblur.errors import ReadError, TooLargeError
from unblur.images import decoding
from unblur.system.link import receive, send

__all__ = ["main"]


def main() -> None:
    """Serve jobs until the parent closes the socket or dies."""
    link, parent = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    # Ctrl-C reaches every process of a terminal; whether the file at hand is finished is the parent's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    while True:
        try:
            request, source = receive(link)
        except EOFError:
            return
        if source is not None:
            _serve(link, request, source)


def _serve(link: socket.socket, request: dict[str, Any], source: int) -> None:
    """Do one job and answer with its result or with the reason why there is none."""
    answer: dict[str, Any]
    pixels = None
    try:
        _limit(request["cpu_seconds"], request["memory"])
        answer, pixels = decoding.JOBS[request["job"]](source, request)
    except (ReadError, TooLargeError) as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    except MemoryError:
        answer = {"error": "TooLargeError", "message": "needs more memory to decode than is allowed"}
    except Exception as error:  # decoders raise nearly everything on damaged files
        answer = {"error": "ReadError", "message": decoding.complaint(error)}
    send(link, answer, pixels)
    os.close(source)
    if pixels is not None:
        os.close(pixels)


def _limit(cpu_seconds: int, memory: int) -> None:
    """Give the next job its own allowance on top of what the process has used so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime) + cpu_seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        size = int(statistics.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + memory, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _end_with(parent: int) -> None:
    """End this process soon after the parent's end, also in the middle of a job."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main()
