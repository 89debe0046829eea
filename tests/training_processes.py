"""Runs of the command in processes of their own, forked from one that has imported everything."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from torch.utils.data._utils import worker

PATIENCE = 300
"""Seconds before something is taken to hang."""

_PRELOAD = [
    "unblur.training.run",
    "unblur.cli.train",
    "tiny_training",
    "jsonargparse",
    "torch.utils.tensorboard.writer",
]


def start(words: list[str], log: Path, *, stopped: bool = False) -> BaseProcess:
    """`unblur WORDS` with its messages in `log`; `stopped`: it waits for SIGCONT."""
    os.environ["OMP_NUM_THREADS"] = "1"  # what a forked process does must not depend on who shares the machine
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    process = context.Process(target=_main, args=(words, log, stopped))
    process.start()
    return process


def _main(words: list[str], log: Path, stopped: bool) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for standard in (1, 2):
        os.dup2(file, standard)
    os.setsid()
    if stopped:
        os.kill(os.getpid(), signal.SIGSTOP)
    # workers of a killed run look for it every 5 seconds by default; tests wait for their end
    worker.MP_STATUS_CHECK_INTERVAL = 0.2
    from unblur.cli.main import main

    sys.exit(main(words))


def wait_for(condition: Callable[[], bool], process: BaseProcess) -> bool:
    """Wait until it is so; False if the process ended before."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if not process.is_alive():
            return condition()
        assert time.monotonic() < deadline, "it hangs"
        time.sleep(0.002)
    return True


def end_of(process: BaseProcess) -> int:
    """Its exit code; negative: the signal that ended it."""
    process.join(PATIENCE)
    assert process.exitcode is not None, "it hangs"
    return process.exitcode


def kill(process: BaseProcess, number: int = signal.SIGKILL) -> int:
    """Send a signal to the process alone, and wait for its end."""
    assert process.pid is not None
    os.kill(process.pid, number)
    return end_of(process)


def is_gone(process: BaseProcess) -> bool:
    """Whether no process of the group that it led is left."""
    assert process.pid is not None
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


def logged(table: Path) -> int:
    """The last step in a table."""
    try:
        lines = table.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return 0
    return int(lines[-1].partition(",")[0]) if len(lines) > 1 and lines[-1][0].isdigit() else 0
