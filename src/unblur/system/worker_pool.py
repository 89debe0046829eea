"""Tasks in worker processes: distribution, answers, and survival of workers that die.

Not a pool of the standard library: there, a process that dies breaks the pool and takes its neighbours' tasks with it,
and what a task says before its answer has no way back. Here a connection to each worker is all there is between them:
a worker that dies costs the task it had, and workers whose parent dies notice and go. (Files that may be hostile have a
process of another kind, `sandbox`: nothing that comes back from there is unpickled.)
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from multiprocessing import Pipe, connection
from pathlib import Path
from typing import Any, Generic, TypeVar

__all__ = ["Answer", "Stop", "Worker", "run_in_workers"]

TaskT = TypeVar("TaskT")
AnswerT = TypeVar("AnswerT")

_PATIENCE = 5.0
"""Seconds that a worker has to finish what it is writing when all are to stop."""


class Answer:
    """What a worker sends at the end of a task; all that it sends before is a message."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Stop:
    """What a worker is sent to stop its task: its next message raises `Cancelled` in the worker."""


def run_in_workers(
    tasks: Iterable[TaskT],
    function: str,
    setup: Any,
    *,
    count: int,
    threads: int,
    on_death: Callable[[TaskT, str], AnswerT],
    on_message: Callable[[TaskT, Any], None] | None = None,
) -> Generator[AnswerT]:
    """The answers to `tasks` as they come. Close the generator where it may be left early: that ends the workers.

    Args:
        tasks: Plain values that can be pickled, as must be messages and answers.
        function: `module:name` of `function(setup, task, send)` in this package; it returns the answer and may `send`
            messages. An exception in it is the end of its process.
        setup: Goes to each process once.
        count: Processes, at most.
        threads: Threads of each process, for libraries that compute.
        on_death: The answer to a task whose process died, `SIGKILL` or `exit code 1`.
        on_message: Called with a task and a message about it.
    """
    waiting = deque(tasks)
    workers: list[Worker[TaskT]] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < count:
                workers.append(Worker(function, setup, threads=threads))
                workers[-1].start(waiting.popleft())
            for worker in _talking(workers):
                message = worker.listen()
                if isinstance(message, Answer):
                    yield message.value
                    if waiting:
                        worker.start(waiting.popleft())
                        continue
                elif message is None:
                    yield on_death(worker.task, worker.end())
                else:
                    if on_message:
                        on_message(worker.task, message)
                    continue
                workers.remove(worker)
                worker.close()
    finally:
        _stop(workers)


class Worker(Generic[TaskT]):
    """One worker process, for one task at a time.

    Args:
        function: As `run_in_workers` has it, with `setup` and `threads`.

    Attributes:
        link: Readable when there is something to `listen` to.
        task: The last one that it was given.
    """

    task: TaskT

    def __init__(self, function: str, setup: Any, *, threads: int) -> None:
        self.link, theirs = Pipe()
        with theirs:
            self.process = _start_process(theirs.fileno(), function, threads)
        self._send(setup)

    def start(self, task: TaskT) -> None:
        """Give it a task; the one before has been answered."""
        self.task = task
        self._send(task)

    def stop_task(self) -> None:
        """Ask it to leave its task; it answers all the same, if it reports on its way."""
        self._send(Stop())

    def listen(self) -> Any:
        """Its next message, waited for; None: it is dead."""
        try:
            return self.link.recv()
        except (EOFError, OSError):
            return None

    @property
    def has_ended(self) -> bool:
        """Whether its process is gone."""
        return self.process.poll() is not None

    def end(self) -> str:
        """How it died."""
        status = self.process.wait()
        return signal.Signals(-status).name if status < 0 else f"exit code {status}"

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self.process.kill()
        self.close()

    def close(self) -> None:
        """Let go of it; it ends after its task."""
        self.link.close()
        self.process.wait()

    def _send(self, message: object) -> None:
        with suppress(BrokenPipeError):  # `listen` notices a worker that died meanwhile
            self.link.send(message)


def _start_process(link: int, function: str, threads: int) -> subprocess.Popen[bytes]:
    shares = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "VIPS_CONCURRENCY")}
    # The package may have been found through the folder that the program runs in, which -P leaves out.
    places = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(  # noqa: S603 - fixed words
        # -P: a numpy.py that lies among the user's photos must not be imported.
        [sys.executable, "-P", "-m", "unblur.system.pool_worker", str(link), str(os.getpid()), function],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # the parent's may be the photo
        pass_fds=[link],
        env={**os.environ, **shares, "PYTHONPATH": os.pathsep.join(places)},
        process_group=0,
    )


def _talking(workers: Sequence[Worker[TaskT]]) -> list[Worker[TaskT]]:
    ready = connection.wait([worker.link for worker in workers])
    return [worker for worker in workers if worker.link in ready]


def _stop(workers: Sequence[Worker[Any]]) -> None:
    """End all workers; a second signal meanwhile ends them at once."""
    try:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(_PATIENCE)
    finally:
        for worker in workers:
            worker.kill()
