"""A worker process: restores one photo after the other, as its parent hands them over.

Started as `python -m unblur.batch.worker DESCRIPTOR`, with an open connection to the parent, in a process group of its
own, so that Ctrl-C does not reach it: whether the photo at hand is finished is the parent's decision.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

from unblur.batch.jobs import PhotoJob
from unblur.batch.work import restore_job
from unblur.methods.base import Step
from unblur.system.signals import Interrupted, catch_signals

__all__ = ["main"]


def main() -> None:
    """Serve until the parent closes the connection, dies, or sends SIGTERM."""
    parent = Connection(int(sys.argv[1]))

    def tell(_job: PhotoJob, step: Step) -> None:
        parent.send(Step(step.fraction, step.stage))  # without the preview, which nobody looks at here

    with suppress(EOFError, BrokenPipeError, ConnectionResetError, Interrupted), catch_signals(signal.SIGTERM):
        options = parent.recv()
        while True:
            parent.send(restore_job(parent.recv(), options, tell))


if __name__ == "__main__":
    main()
