"""The parent's side of the workers: hand out photos, collect outcomes, outlive any of them.

A connection to each worker is all there is between them: a worker that dies costs the photo it had, and workers whose
parent dies read the end of their connection and go.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import Pipe, connection
from pathlib import Path

from unblur.batch.jobs import PhotoJob
from unblur.batch.options import BatchOptions
from unblur.batch.work import JobHook, PhotoResult

__all__ = ["run_in_workers"]

_PATIENCE = 5.0
"""Seconds that a worker has to finish writing a photo when all are told to stop."""


def run_in_workers(
    jobs: Sequence[PhotoJob], options: BatchOptions, count: int, on_step: JobHook
) -> Iterator[PhotoResult]:
    """The outcomes of `jobs` as they come, with `count` processes at work, each with its share of the processor."""
    threads = max(1, (os.cpu_count() or 1) // count)
    waiting = deque(jobs)
    workers: list[_Worker] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < count:
                workers.append(_Worker(options, threads))
                workers[-1].start(waiting.popleft())
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
    """One worker process, always with a job."""

    def __init__(self, options: BatchOptions, threads: int) -> None:
        self.link, theirs = Pipe()
        with theirs:
            self.process = _start_process(theirs.fileno(), threads)
        self.is_alive = True
        self._send(options)

    def start(self, job: PhotoJob) -> None:
        self.job = job
        self._send(job)

    def listen(self, on_step: JobHook) -> PhotoResult | None:
        """Its next message: an outcome, or a step, which is passed on."""
        try:
            message = self.link.recv()
        except (EOFError, OSError):
            self.is_alive = False
            return PhotoResult(
                self.job.input, self.job.output, "failed", error=_death(self.process.wait()), fault="photo"
            )
        if isinstance(message, PhotoResult):
            return message
        on_step(self.job, message)
        return None

    def close(self) -> None:
        self.link.close()
        self.process.wait()

    def _send(self, message: object) -> None:
        with suppress(BrokenPipeError):  # `listen` notices a worker that died meanwhile
            self.link.send(message)


def _start_process(link: int, threads: int) -> subprocess.Popen[bytes]:
    shares = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "VIPS_CONCURRENCY")}
    # The package may have been found through the folder that the program runs in, which -P leaves out.
    places = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(  # noqa: S603 - fixed words
        # -P: a numpy.py that lies among the user's photos must not be imported.
        [sys.executable, "-P", "-m", "unblur.batch.worker", str(link)],
        stdin=subprocess.DEVNULL,
        pass_fds=[link],
        env={**os.environ, **shares, "PYTHONPATH": os.pathsep.join(places)},
        process_group=0,
    )


def _death(status: int) -> str:
    reason = signal.Signals(-status).name if status < 0 else f"exit code {status}"
    return f"the process that worked on it died ({reason}), perhaps for lack of memory; try fewer --jobs"


def _talking(workers: Sequence[_Worker]) -> list[_Worker]:
    ready = connection.wait([worker.link for worker in workers])
    return [worker for worker in workers if worker.link in ready]


def _stop(workers: Sequence[_Worker]) -> None:
    """End all workers; a second signal meanwhile ends them at once."""
    try:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(_PATIENCE)
    finally:
        for worker in workers:
            worker.process.kill()
            worker.close()
