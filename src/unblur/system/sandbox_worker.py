"""The process of a sandbox, so that a crash, a hang or a bomb in a file hurts nobody else.

Started as `python -m unblur.system.sandbox_worker SOCKET PARENT MODULE`; one job at a time, until the other end closes.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import threading
import time
from importlib import import_module
from typing import Any

from unblur.errors import UnblurError
from unblur.system.confinement import confine
from unblur.system.limits import allow_more_memory, allow_more_processor_time
from unblur.system.messages import receive, send

__all__ = ["main"]


def main() -> None:
    """Serve jobs until the parent closes the socket or dies."""
    confine()
    link, parent, module = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), import_module(sys.argv[3])
    # Ctrl-C reaches every process of a terminal; whether the file at hand is finished is the parent's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    while True:
        try:
            request, files = receive(link, most=2)
        except EOFError:
            return
        if files:
            _serve(link, module, request, *files)


def _serve(link: socket.socket, module: Any, request: dict[str, Any], source: int, target: int | None = None) -> None:
    """Do one job and answer with its result or with the reason why there is none."""
    answer: dict[str, Any]
    result = None
    allow_more_processor_time(request["cpu_seconds"])
    memory_is_free = allow_more_memory(request["memory"])
    try:
        answer, result = module.JOBS[request["job"]](source, {**request, "target": target})
    except UnblurError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    except MemoryError:
        answer = {"error": "MemoryError"}
    except Exception as error:  # parsers raise nearly everything on damaged files
        answer = {"error": "ReadError", "message": module.complaint(error)}
    # The system counts time over all jobs of a process: where it is scarce, the next job gets a process of its own.
    is_last = not allow_more_processor_time(request["cpu_seconds"])
    answer |= {"is_last": is_last, "memory_is_free": memory_is_free}
    send(link, answer, *([] if result is None else [result]))
    for file in {one for one in (source, target, result) if one is not None}:
        os.close(file)


def _end_with(parent: int) -> None:
    """End this process soon after the parent's end, also in the middle of a job."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main()
