"""A process of the worker pool: does one task after the other, as its parent hands them over.

Started as `python -m unblur.system.pool_worker DESCRIPTOR PARENT MODULE:FUNCTION`, with an open connection to the
parent, in a process group of its own, so that Ctrl-C does not reach it: whether the task at hand is finished is the
parent's decision.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection

from unblur.errors import Cancelled
from unblur.system.signals import Interrupted, catch_signals
from unblur.system.worker_pool import Answer, Stop

__all__ = ["main"]


def main() -> None:
    """Serve until the parent closes the connection, dies, or sends SIGTERM."""
    parent = Connection(int(sys.argv[1]))
    module, _, name = sys.argv[3].partition(":")
    with suppress(EOFError, BrokenPipeError, ConnectionResetError, Interrupted), catch_signals(signal.SIGTERM):
        threading.Thread(target=_end_with, args=(int(sys.argv[2]),), daemon=True).start()
        function = getattr(import_module(module), name)
        setup = parent.recv()
        while True:
            task = parent.recv()
            if not isinstance(task, Stop):  # one that came too late for the task before
                parent.send(Answer(function(setup, task, partial(_report, parent))))


def _report(parent: Connection, message: object) -> None:
    """Send a message about the task; what comes from the parent in the middle of a task can only ask to stop it."""
    parent.send(message)
    if parent.poll() and isinstance(parent.recv(), Stop):
        raise Cancelled("was cancelled")


def _end_with(parent: int) -> None:
    """End this process soon after the parent's end, as on SIGTERM: a file that is being written is finished."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
