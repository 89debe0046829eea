"""Carries out a plan, here or in several processes: photos may fail, but a full disk ends it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import get_args

from unblur.batch.jobs import PhotoJob
from unblur.batch.options import BatchOptions
from unblur.batch.plan import Plan
from unblur.batch.provenance import Verdict, judge_output
from unblur.batch.work import Fault, JobHook, PhotoResult, Status, restore_job
from unblur.methods.base import Step
from unblur.system.atomic import remove_leftovers
from unblur.system.worker_pool import run_in_workers

__all__ = ["Tally", "resume_plan", "run_plan"]


class Tally:
    """How many photos ended how; the results themselves are not kept, so that memory does not depend on their number.

    Args:
        outcomes: Those so far.
    """

    def __init__(self, outcomes: Iterable[PhotoResult] = ()) -> None:
        self._statuses: Counter[Status] = Counter()
        self._faults: Counter[Fault] = Counter()
        for outcome in outcomes:
            self.add(outcome)

    def add(self, outcome: PhotoResult) -> None:
        """Count a photo."""
        self._statuses[outcome.status] += 1
        if outcome.status == "failed":
            self._faults[outcome.fault] += 1

    @property
    def exit_code(self) -> int:
        """0 all done; 1 some failed; 2 nothing could start, or no output can be written."""
        if "place" in self._faults:
            return 2
        if self._faults and self._faults["usage"] == self._statuses.total():
            return 2
        return 1 if self._faults else 0

    def __str__(self) -> str:
        """`N done, N skipped, N failed`."""
        return ", ".join(f"{self._statuses[status]} {status}" for status in get_args(Status))


def ignore_step(job: PhotoJob, step: Step) -> None:
    """The hook of a caller without interest in progress."""


def run_plan(
    plan: Plan, options: BatchOptions, *, jobs: int = 1, on_step: JobHook = ignore_step
) -> Generator[PhotoResult]:
    """The outcome of each photo as it is finished; ends early when no output can be written any more.

    Close the iterator (`contextlib.closing`) where it may be left early: that ends the workers.

    Args:
        plan: What becomes what.
        options: Options for every photo.
        jobs: Processes; 1 is this one.
        on_step: Called with the steps of each photo; raises `Cancelled` to stop that photo.
    """
    _remove_leftovers([*plan.jobs, *plan.skipped])
    for failure in plan.failures:
        yield PhotoResult(failure.name, None, "failed", error=failure.reason, fault="photo")
    for job in plan.skipped:
        yield PhotoResult(job.input, job.output, "skipped", method=options.method)
    # Workers have no standard streams: what comes or goes there is done here.
    piped = [job for job in plan.jobs if job.input is None or job.output is None]
    others = [job for job in plan.jobs if job not in piped]
    count = min(jobs, len(others))
    with closing(_run(piped, others, options, count, on_step)) as run:
        for outcome in run:
            yield outcome
            if outcome.fault == "place":
                return


def resume_plan(plan: Plan, options: BatchOptions) -> Plan:
    """The plan without the photos that were restored before with the same options.

    Of those that are left, files that unblur made and nobody changed since may be replaced; and so that nothing is lost
    with a lost note, a file without one is taken for finished if it has the bytes that it would get.
    """
    verdicts = [(job, _judge(job, options)) for job in plan.jobs]
    return replace(
        plan,
        jobs=tuple(
            replace(job, replaceable="own") if job.replaceable == "nothing" else job
            for job, verdict in verdicts
            if verdict != "finished"
        ),
        skipped=tuple(job for job, verdict in verdicts if verdict == "finished"),
        redone=sum(verdict == "outdated" for _, verdict in verdicts),
    )


def _run(
    piped: Sequence[PhotoJob], others: Sequence[PhotoJob], options: BatchOptions, count: int, on_step: JobHook
) -> Generator[PhotoResult]:
    yield from _run_here(piped, options, on_step)
    run = _run_in_workers(others, options, count, on_step) if count > 1 else _run_here(others, options, on_step)
    with closing(run):
        yield from run


def _run_here(jobs: Sequence[PhotoJob], options: BatchOptions, on_step: JobHook) -> Generator[PhotoResult]:
    for job in jobs:
        yield restore_job(job, options, on_step)


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
        on_death=_lost,
    )


def _lost(job: PhotoJob, how: str) -> PhotoResult:
    reason = f"the process that worked on it died ({how}), perhaps for lack of memory; try fewer --jobs"
    return PhotoResult(job.input, job.output, "failed", error=reason, fault="photo")


def _judge(job: PhotoJob, options: BatchOptions) -> Verdict:
    provenance = options.provenance_of(job)
    return "missing" if provenance is None or job.output is None else judge_output(job.output, provenance)


def _remove_leftovers(jobs: Sequence[PhotoJob]) -> None:
    """Remove what killed runs left in the folders of the outputs."""
    targets = [path for job in jobs for path in (job.output, *job.side_outputs(), job.steps) if path]
    for folder in {path.parent for path in targets}:
        remove_leftovers(folder)
