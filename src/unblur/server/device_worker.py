"""One device of a server: a thread that hands job after job to a worker process, and ends the process where it must."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from unblur.batch.work import PhotoResult
from unblur.server.job import Job, JobState, Reason
from unblur.server.tasks import RestoreTask, Warm
from unblur.system.worker_pool import Answer, Worker

__all__ = ["DeviceWorker"]

_LOG = logging.getLogger("unblur.server")

_TICK = 0.1
"""Seconds after which a cancel or a limit is noticed."""
_PATIENCE = 2.0
"""Seconds that a process has to leave a cancelled job by itself; then it is killed, and the next one starts cold."""


class DeviceWorker:
    """A thread and a process that restore the photos for one device, one at a time.

    Attributes:
        process: The process that works or waits now; None: there is none yet.

    Args:
        device: Name of the device.
        take: Returns the next job for a device, waiting for it; None: there will be none.
        finish: Called with each job and its last state.
        share: Share of the processor's cores that its computations may use.
    """

    def __init__(
        self, device: str, take: Callable[[str], Job | None], finish: Callable[[Job, JobState], None], share: float
    ) -> None:
        self.device = device
        self._take, self._finish = take, finish
        wanted = os.environ.get("OMP_NUM_THREADS", "")
        cores = int(wanted) if wanted.isdecimal() else os.cpu_count() or 1
        self._threads = max(1, int(cores * share))
        self._deadline: float | None = None
        self.process: Worker[RestoreTask] | None = None
        self._thread = threading.Thread(target=self._run, name=f"unblur-{device}", daemon=True)
        self._thread.start()

    def close(self, deadline: float) -> None:
        """End the thread and the process; a job that runs has until then (`time.monotonic`)."""
        self._deadline = deadline
        self._thread.join()

    def _run(self) -> None:
        with suppress(OSError):  # then the first job says why
            self._ready_process()
        while (job := self._take(self.device)) is not None:
            try:
                state = self._restore(job)
            except Exception:  # whatever it is, the next job needs this thread
                _LOG.exception("a job failed outside of its process")
                self._end_process()
                state = _end(job, None, "crash")
            self._finish(job, state)
        self._end_process()

    def _ready_process(self) -> Worker[RestoreTask]:
        if self.process is None or self.process.has_ended:
            self._end_process()
            self.process = Worker("unblur.server.tasks:run_task", Warm(), threads=self._threads)
        return self.process

    def _end_process(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process = None

    def _restore(self, job: Job) -> JobState:
        """The last state of a job; where it did not end by itself, its process is gone."""
        job.become(replace(job.state, status="running"))
        process = self._ready_process()
        process.start(self._with_device(job.task))
        stop_at: float | None = None
        while True:
            now = time.monotonic()
            if job.is_unwanted and stop_at is None:
                process.stop_task()
                stop_at = now + _PATIENCE
            reason = self._reason_to_end(job, now)
            if reason or (stop_at is not None and now > stop_at):
                self._end_process()
                return _end(job, None, reason)
            if not process.link.poll(_TICK):
                continue
            message = process.listen()
            if message is None:
                self._end_process()
                return _end(job, None, "crash")
            if isinstance(message, Answer):
                return _end(job, message.value, "")
            # Steps are merged for those who read slowly, so an image stays until the next one.
            preview = message.preview or job.state.progress.preview
            job.become(replace(job.state, progress=replace(message, preview=preview)))

    def _with_device(self, task: RestoreTask) -> RestoreTask:
        options = replace(task.options, restore=replace(task.options.restore, device=self.device))
        return replace(task, options=options)

    def _reason_to_end(self, job: Job, now: float) -> Reason:
        if now > job.started + job.seconds:
            return "time"
        return "stop" if self._deadline is not None and now > self._deadline else ""


def _end(job: Job, result: PhotoResult | None, reason: Reason) -> JobState:
    if job.is_unwanted:
        return replace(job.state, status="cancelled", result=None, reason="")
    is_done = result is not None and result.status == "done"
    progress = replace(job.state.progress, preview=None)
    return replace(job.state, status="done" if is_done else "failed", progress=progress, result=result, reason=reason)
