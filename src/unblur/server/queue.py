"""A bounded queue of photos to restore, with a worker process for each device: what the API and the page stand on.

    queue = JobQueue(ServerSettings())
    job = queue.submit(photo, BatchOptions(method="map"))
    for state in job.changes():
        print(state.progress.fraction, state.progress.stage)
    if state.status == "done":
        print(job.output.read_bytes(), state.result.facts)
    queue.delete(job.id)

All of it may be called from any thread. No photo is decoded in this process, and no torch is imported. A job that takes
too long, or does not stop when it is cancelled, is ended with its process, which is replaced.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

from unblur.batch.jobs import PhotoJob
from unblur.batch.options import BatchOptions
from unblur.errors import BusyError, CheckpointError, OutputError, ServerError, UsageError
from unblur.methods.catalog import find_entry, settings_class_of
from unblur.methods.loading import choose_weights
from unblur.methods.settings import describe_settings, make_settings
from unblur.server.device_worker import DeviceWorker
from unblur.server.job import Job, JobState
from unblur.server.settings import ServerSettings
from unblur.server.storage import Storage
from unblur.server.tasks import RestoreTask
from unblur.weights.public import public_weights
from unblur.weights.shipped import shipped

__all__ = ["JobQueue", "Load", "Saved", "check_options"]

Saved = Literal["kernel", "motion"]
"""What may be saved beside the image."""

_COPIED_AT_ONCE = 1 << 20
_REAPER_PERIOD = 1.0
_MOST_KEPT = 1000
"""Jobs that are over and remembered; failed ones have no size."""


@dataclass(frozen=True)
class Load:
    """How much a queue has to do."""

    waiting: int
    running: int
    kept: int


class JobQueue:
    """Photos wait here for a worker process; results are kept for a while.

    Args:
        settings: Devices and limits.
        place: Where the private folder is made; None: where the system keeps temporary files.

    Attributes:
        observers: Functions that are called with each job that was taken from the queue, at its end.
    """

    def __init__(self, settings: ServerSettings, *, place: Path | None = None) -> None:
        self.settings = settings
        self.observers: list[Callable[[Job], None]] = []
        self._storage = Storage(place)
        self._changed = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._jobs: dict[str, Job] = {}
        self._is_open = True
        self._mean_seconds = 1.0
        self._workers = [
            DeviceWorker(device, self._take, self._finish, 1 / len(settings.devices)) for device in settings.devices
        ]
        self._reaper = threading.Thread(target=self._reap, name="unblur-reaper", daemon=True)
        self._reaper.start()

    @property
    def is_open(self) -> bool:
        """Whether it takes jobs."""
        return self._is_open

    @property
    def load(self) -> Load:
        """How much it has to do."""
        with self._changed:
            states = [job.state for job in self._jobs.values()]
            running = sum(state.status == "running" for state in states)
            return Load(len(self._waiting), running, sum(state.is_over for state in states))

    def check_room(self) -> None:
        """Refuse early what `submit` would refuse.

        Raises:
            BusyError: The queue is full.
            ServerError: The server is stopping.
        """
        with self._changed:
            self._check_room()

    def submit(
        self,
        photo: bytes | memoryview | BinaryIO,
        options: BatchOptions,
        *,
        kernel: bytes | None = None,
        mask: bytes | None = None,
        save: frozenset[Saved] = frozenset({"kernel"}),
        preview: int = 0,
        seconds: float | None = None,
    ) -> Job:
        """Put a photo into the queue.

        Args:
            photo: The bytes of its file, or the file, open.
            options: How to restore; its `limits` are lowered to those of the server.
            kernel: A file with the known kernel, see `read_kernel`; one in `options` serves as well.
            mask: A file with the mask; one in `options` serves as well.
            save: What is saved beside the image, of methods that find it.
            preview: Longest side in pixels of images of the work so far; 0: none.
            seconds: Longest time that it may run; None: as long as a job may.

        Raises:
            BusyError: The queue is full.
            ServerError: The server is stopping.
            UsageError: Options that cannot be, see `check_options`.
            OutputError: There is no room for the photo.
        """
        check_options(options, self.settings)
        self.check_room()
        folder = self._storage.make_folder()
        try:
            _write(folder / "photo", photo)
            given = {"kernel": kernel, "mask": mask}
            files = {name: folder / f"given-{name}" for name, data in given.items() if data is not None}
            for name, path in files.items():
                _write(path, given[name] or b"")
            task = RestoreTask(self._photo_job(folder, options, save), self._limited(options), files, preview)
            limit = self.settings.job_seconds if seconds is None else min(seconds, self.settings.job_seconds)
            job = Job(task, folder, options.restore.device, limit, self._changed)
            with self._changed:
                self._check_room()
                self._jobs[job.id] = job
                self._waiting.append(job)
                self._changed.notify_all()
        except BaseException:
            self._storage.remove(folder)
            raise
        return job

    def get(self, job_id: str) -> Job | None:
        """The job of that id, until it is deleted or expires."""
        return self._jobs.get(job_id)

    def position(self, job: Job) -> int:
        """How many wait before it."""
        with self._changed:
            return self._waiting.index(job) if job in self._waiting else 0

    def delete(self, job_id: str) -> bool:
        """Cancel a job and forget it with its files; False: there is none of that id."""
        job = self._jobs.get(job_id)
        if job is None:
            return False
        job.cancel()
        self._forget(job)
        return True

    def stop_taking(self) -> None:
        """Take no more jobs, and end those that wait."""
        with self._changed:
            self._is_open = False
            waiting, self._waiting = list(self._waiting), deque()
            self._changed.notify_all()
        for job in waiting:
            job.become(replace(job.state, status="failed", reason="stop"))

    def close(self, seconds: float | None = None) -> None:
        """As `end_jobs`; then remove all files, which the answers to the jobs are sent from."""
        self.end_jobs(seconds)
        self._storage.close()

    def end_jobs(self, seconds: float | None = None) -> None:
        """Take no more jobs, let running ones end within so many seconds, and end the processes."""
        self.stop_taking()
        deadline = time.monotonic() + (self.settings.stop_seconds if seconds is None else seconds)
        for worker in self._workers:
            worker.close(deadline)
        self._reaper.join()

    def _check_room(self) -> None:
        if not self._is_open:
            raise ServerError("the server is stopping and takes no more photos")
        self._drop_cancelled()
        if len(self._waiting) >= self.settings.queue:
            wait = self._mean_seconds * len(self._waiting) / len(self._workers)
            raise BusyError(f"{len(self._waiting)} photos wait already; try again later", max(1.0, wait))

    def _photo_job(self, folder: Path, options: BatchOptions, save: frozenset[Saved]) -> PhotoJob:
        finds = find_entry(options.method).finds
        return PhotoJob(
            folder / "photo",
            folder / "restored",
            kernel=folder / "kernel.png" if "kernel" in save and finds == "kernel" else None,
            motion=folder / "restored" if "motion" in save and finds == "motion field" else None,
        )

    def _limited(self, options: BatchOptions) -> BatchOptions:
        """The options with the server's limits, where these are lower."""
        limits, own = options.limits, self.settings
        pixels, size = min(limits.max_pixels, own.pixels), min(limits.max_bytes, own.body)
        return replace(options, limits=replace(limits, max_pixels=pixels, max_bytes=size))

    def _take(self, device: str) -> Job | None:
        """The next job for a device, waited for; None: there will be none."""
        with self._changed:
            while True:
                self._drop_cancelled()
                job = next((job for job in self._waiting if job.device in ("auto", device)), None)
                if job is not None:
                    self._waiting.remove(job)
                    job.started = time.monotonic()
                    return job
                if not self._is_open:
                    return None
                self._changed.wait()

    def _finish(self, job: Job, state: JobState) -> None:
        """Keep the result of a job, or remove its files."""
        job.ended = time.monotonic()
        self._mean_seconds += 0.1 * (job.ended - job.started - self._mean_seconds)
        if state.status == "done" and not job.is_unwanted:
            (job.folder / "photo").unlink(missing_ok=True)
            job.size = sum(path.stat().st_size for path in job.folder.iterdir())
        else:
            self._storage.remove(job.folder)
        job.become(state)
        for observe in self.observers:
            observe(job)
        if job.id not in self._jobs:  # deleted meanwhile
            self._storage.remove(job.folder)

    def _drop_cancelled(self) -> None:
        for job in [job for job in self._waiting if job.is_unwanted]:
            self._waiting.remove(job)
            self._storage.remove(job.folder)

    def _reap(self) -> None:
        """Forget results that are older than the settings say, and the oldest where all together are too large."""
        while self._is_open:
            with self._changed:
                self._changed.wait_for(lambda: not self._is_open, _REAPER_PERIOD)
            over = sorted((job for job in list(self._jobs.values()) if job.state.is_over), key=lambda job: job.ended)
            room = self.settings.keep_bytes - sum(job.size for job in over)
            for job in over:
                is_old = time.monotonic() - max(job.ended, job.created) > self.settings.keep_seconds
                if is_old or room < 0 or job in over[:-_MOST_KEPT]:
                    room += job.size
                    self._forget(job)

    def _forget(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        if job.state.is_over:
            self._storage.remove(job.folder)


def check_options(options: BatchOptions, server: ServerSettings) -> None:
    """Refuse at once what would fail, or would touch a file of this machine that the client has no business with.

    Raises:
        UsageError: A method, setting, weights or device that there is not.
    """
    settings_class = settings_class_of(options.method)
    for item in describe_settings(settings_class):
        if item.names_file and options.settings.get(item.name):
            raise UsageError(f"the setting {item.name} names a file, and a server takes no names of its files")
    make_settings(settings_class, options.settings)
    if options.weights is not None and options.weights not in {*shipped(), *public_weights()}:
        raise CheckpointError(f"this server has no weights of that name; it knows: {', '.join(shipped())}")
    choose_weights(options.method, options.weights)
    device = options.restore.device
    if device != "auto" and device not in server.devices:
        raise UsageError(f"this server has no device {device!r}; leave it out, or choose: {', '.join(server.devices)}")


def _write(path: Path, data: bytes | memoryview | BinaryIO) -> None:
    try:
        with path.open("xb") as file:
            if isinstance(data, bytes | memoryview):
                file.write(data)
                return
            while part := data.read(_COPIED_AT_ONCE):
                file.write(part)
    except OSError as error:
        raise OutputError("the server has no room for the photo") from error
