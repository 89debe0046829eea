"""Worker processes that restore one photo at a time, each with its share of the processor.

A pipe to each one is all there is between them: a worker that dies costs the photo it had, and workers whose parent
dies read the end of their pipe and go.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection, resource_tracker
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from unblur.batch.plan import Job
from unblur.batch.signals import Interrupted, catch_signals
from unblur.batch.work import JobHook, Outcome, Wishes, restore_job
from unblur.methods.base import Step

if TYPE_CHECKING:
    from multiprocessing.context import SpawnContext

__all__ = ["run_in_workers"]

_PATIENCE = 5.0
"""Seconds that a worker has to finish writing a photo when all are told to stop."""

_SIGNALS = {signal.SIGINT, signal.SIGTERM}


def run_in_workers(jobs: Sequence[Job], wishes: Wishes, count: int, on_step: JobHook) -> Iterator[Outcome]:
    """The outcomes of `jobs` as they come, with `count` processes at work."""
    context = multiprocessing.get_context("spawn")
    # Spawned first, because it changes the signal mask that the workers are to inherit.
    resource_tracker.ensure_running()
    threads = max(1, len(os.sched_getaffinity(0)) // count)
    waiting = deque(jobs)
    workers: list[_Worker] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < count:
                workers.append(_Worker(context, wishes, threads, waiting.popleft()))
            for worker in _talking(workers):
                outcome = worker.listen(on_step)
                if outcome is None:
                    continue
                yield outcome
                if worker.is_alive and waiting:
                    worker.start(waiting.popleft())
                else:
                    workers.remove(worker)
                    worker.close()
    finally:
        _stop(workers)


class _Worker:
    """The parent's side of one worker, always with a job."""

    def __init__(self, context: SpawnContext, wishes: Wishes, threads: int, job: Job) -> None:
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, wishes, threads))
        with _signals_held():
            self.process.start()
        theirs.close()
        self.is_alive = True
        self.start(job)

    def start(self, job: Job) -> None:
        self.job = job
        with suppress(BrokenPipeError):  # a worker that died meanwhile is noticed by `listen`
            self.pipe.send(job)

    def listen(self, on_step: JobHook) -> Outcome | None:
        """Its next message: an outcome, or a step, which is passed on."""
        try:
            message = self.pipe.recv()
        except (EOFError, OSError):
            self.is_alive = False
            self.process.join()
            return Outcome(self.job.input, self.job.output, "failed", error=self._death(), fault="photo")
        if isinstance(message, Outcome):
            return message
        on_step(self.job, message)
        return None

    def close(self) -> None:
        self.pipe.close()
        self.process.join()

    def _death(self) -> str:
        code = self.process.exitcode or 0
        reason = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"the process that worked on it died ({reason}), perhaps for lack of memory; try fewer --jobs"


def _talking(workers: Sequence[_Worker]) -> list[_Worker]:
    ready = connection.wait([worker.pipe for worker in workers])
    return [worker for worker in workers if worker.pipe in ready]


def _stop(workers: Sequence[_Worker]) -> None:
    """End all workers; a second signal meanwhile ends them at once."""
    try:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.process.join(_PATIENCE)
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.join()


@contextmanager
def _signals_held() -> Generator[None]:
    """Within, new processes inherit a mask that keeps the signals of a terminal away from them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection, wishes: Wishes, threads: int) -> None:
    """A worker's life. Ctrl-C stays blocked: the parent decides, and tells by SIGTERM or by closing the pipe."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "VIPS_CONCURRENCY"):
        os.environ[name] = str(threads)

    def tell(_job: Job, step: Step) -> None:
        pipe.send(Step(step.fraction, step.stage))  # without the preview, which nobody looks at here

    with suppress(EOFError, BrokenPipeError, Interrupted), catch_signals(signal.SIGTERM):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        while True:
            pipe.send(restore_job(pipe.recv(), wishes, tell))
