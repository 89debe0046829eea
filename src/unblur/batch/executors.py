"""Where the photos of a batch are restored: behind one method, whatever machines and processes stand."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from unblur.batch.jobs import PhotoJob
from unblur.batch.options import BatchOptions
from unblur.batch.work import JobHook, PhotoResult, restore_job
from unblur.system.worker_pool import run_in_workers

__all__ = ["Executor", "LocalExecutor", "lost"]


class Executor(Protocol):
    """Restores photos somewhere."""

    def run(self, jobs: Sequence[PhotoJob], options: BatchOptions, on_step: JobHook) -> Generator[PhotoResult]:
        """The outcome of each photo, each once, as they are finished.

        Closing the generator ends the work; photos that are being written are finished or not written at all.

        Args:
            jobs: Photos from file to file.
            options: For every photo.
            on_step: Called with the steps of each photo, as far as they are known here.
        """
        ...


@dataclass(frozen=True)
class LocalExecutor:
    """This machine.

    Attributes:
        processes: Photos at the same time, each in a process of its own; 1: one after the other in this process.
    """

    processes: int = 1

    def run(self, jobs: Sequence[PhotoJob], options: BatchOptions, on_step: JobHook) -> Generator[PhotoResult]:
        """See `Executor`."""
        count = min(self.processes, len(jobs))
        if count > 1:
            return _run_in_workers(jobs, options, count, on_step)
        return (restore_job(job, options, on_step) for job in jobs)


def lost(job: PhotoJob, how: str) -> PhotoResult:
    """The outcome of a photo whose process died.

    Args:
        job: The photo.
        how: `SIGKILL`, or `exit code 1`.
    """
    reason = f"the process that worked on it died ({how}), perhaps for lack of memory; try fewer --jobs"
    return PhotoResult(job.input, job.output, "failed", error=reason, fault="photo")


def _run_in_workers(
    jobs: Sequence[PhotoJob], options: BatchOptions, count: int, on_step: JobHook
) -> Generator[PhotoResult]:
    return run_in_workers(
        jobs,
        "unblur.batch.work:restore_in_worker",
        options,
        count=count,
        threads=max(1, (os.cpu_count() or 1) // count),  # to each its share of the processor
        on_message=on_step,
        on_death=lost,
    )
