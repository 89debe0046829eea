"""A photo that a server was given to restore, and what became of it so far."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from unblur.batch.work import PhotoResult
from unblur.errors import ServerError
from unblur.methods.base import seconds_left
from unblur.server.tasks import Progress, RestoreTask

__all__ = ["Job", "JobState", "Reason", "Status"]

Status = Literal["waiting", "running", "done", "failed", "cancelled"]
Reason = Literal["", "time", "crash", "stop"]
"""Why a job failed, beyond what its result says: the time limit, its process died, the server stops."""


@dataclass(frozen=True)
class JobState:
    """How a job is at one moment.

    Attributes:
        status: What became of it so far.
        progress: How far a running one is.
        result: What was found, with warnings and facts, or why it failed; None before its end and after a cancel.
        reason: Why it failed, where it has no result that says so.
    """

    status: Status = "waiting"
    progress: Progress = field(default_factory=Progress)
    result: PhotoResult | None = None
    reason: Reason = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will change any more."""
        return self.status in ("done", "failed", "cancelled")


class Job:
    """A photo that was submitted; made by `JobQueue.submit` (`queue.py`).

    Attributes:
        id: 192 random bits; whoever knows it has the result.
        device: Where it may run; `auto`: anywhere.
        seconds: Longest time that it may run.
        task: Its files and options.
        folder: Where its files are.
        created: Time of its submission (`time.monotonic`).
        started: Time when it left the queue; 0 before.
        ended: Time of its end; 0 before.
        size: Bytes of its files at its end.
        is_unwanted: It was cancelled.
    """

    def __init__(
        self, task: RestoreTask, folder: Path, device: str, seconds: float, changed: threading.Condition
    ) -> None:
        self.id = secrets.token_urlsafe(24)
        self.task, self.folder, self.device, self.seconds = task, folder, device, seconds
        self.created, self.started, self.ended = time.monotonic(), 0.0, 0.0
        self.size = 0
        self.is_unwanted = False
        self._state = JobState()
        self._changed = changed
        self._watchers: list[Callable[[], None]] = []

    @property
    def state(self) -> JobState:
        """How it is now."""
        return self._state

    @property
    def output(self) -> Path:
        """File of the restored photo, of the photo's own format; there when the job is done, until it is deleted."""
        return _required(self.task.job.output)

    @property
    def kernel(self) -> Path | None:
        """File of the kernel as 16-bit PNG, with exact values beside it in `.npy`, where one was found."""
        path = self.task.job.kernel
        return path if isinstance(path, Path) and path.is_file() else None

    @property
    def motion(self) -> tuple[Path, ...]:
        """Files of the motion (numbers, colours, arrows), where it was asked for and found."""
        return tuple(path for path in self.task.job.motion_outputs() if path.is_file())

    @property
    def seconds_left(self) -> float | None:
        """How long a running job will take, by its speed so far; None: not known yet."""
        if self._state.status != "running":
            return None
        return seconds_left(time.monotonic() - self.started, self._state.progress.fraction)

    def cancel(self) -> None:
        """Stop it; a running one ends within seconds."""
        with self._changed:
            self.is_unwanted = True
            if self._state.status == "waiting":
                self._state = replace(self._state, status="cancelled")
            self._changed.notify_all()
        self._tell()

    def wait(self, timeout: float | None = None) -> JobState:
        """How it is at its end, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._state.is_over, timeout)
            return self._state

    def changes(self) -> Iterator[JobState]:
        """How it is now, and at each change until its end; changes that come faster than they are taken are merged."""
        state = self._state
        yield state
        while not state.is_over:
            with self._changed:
                seen = state
                self._changed.wait_for(lambda: self._state is not seen)  # noqa: B023 - done within this round
                state = self._state
            yield state

    def watch(self, call: Callable[[], None]) -> Callable[[], None]:
        """Have a function called, in another thread, at each change; returns what ends that."""
        self._watchers.append(call)

        def end() -> None:
            with suppress(ValueError):
                self._watchers.remove(call)

        return end

    def become(self, state: JobState) -> None:
        """Take a new state: for the queue and its lanes."""
        with self._changed:
            if self._state.is_over:
                return
            self._state = state
            self._changed.notify_all()
        self._tell()

    def _tell(self) -> None:
        for call in list(self._watchers):
            call()


def _required(path: object) -> Path:
    if not isinstance(path, Path):
        raise ServerError("the job has no file of that kind")
    return path
