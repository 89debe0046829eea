"""Carries out a plan, wherever an executor does the work: photos may fail, but a full disk ends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

from unblur.batch.executors import Executor, LocalExecutor
from unblur.batch.jobs import PhotoJob
from unblur.batch.options import BatchOptions
from unblur.batch.plan import Plan
from unblur.batch.provenance import Verdict, judge_output
from unblur.batch.work import Fault, JobHook, PhotoResult, Status
from unblur.methods.base import Step
from unblur.system.atomic import remove_leftovers

__all__ = ["Tally", "resume_plan", "run_plan"]

_QUESTIONS = 16
"""Outputs that are looked at together: what a store is asked takes its time."""


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


HERE = LocalExecutor()
"""One photo after the other in this process."""


def ignore_step(job: PhotoJob, step: Step) -> None:
    """The hook of a caller without interest in progress."""


def run_plan(
    plan: Plan, options: BatchOptions, *, executor: Executor = HERE, on_step: JobHook = ignore_step
) -> Generator[PhotoResult]:
    """The outcome of each photo as it is finished; ends early when no output can be written any more.

    Close the iterator (`contextlib.closing`) where it may be left early: that ends the workers.

    Args:
        plan: What becomes what.
        options: Options for every photo.
        executor: Where photos are restored.
        on_step: Called with the steps of each photo; raises `Cancelled` to stop that photo.
    """
    _remove_leftovers([*plan.jobs, *plan.skipped])
    for failure in plan.failures:
        yield PhotoResult(failure.name, None, "failed", error=failure.reason, fault="photo")
    for job in plan.skipped:
        yield PhotoResult(job.input, job.output, "skipped", method=options.method)
    # Only this process has standard streams.
    piped = [job for job in plan.jobs if job.input is None or job.output is None]
    others = [job for job in plan.jobs if job not in piped]
    for where, jobs in ((HERE, piped), (executor, others)):
        with closing(where.run(jobs, options, on_step)) as run:
            for outcome in run:
                yield outcome
                if outcome.fault == "place":
                    return


def resume_plan(plan: Plan, options: BatchOptions) -> Plan:
    """The plan without the photos that were restored before with the same options.

    Of those that are left, files that unblur made and nobody changed since may be replaced; and so that nothing is lost
    with a lost note, a file without one is taken for finished if it has the bytes that it would get.
    """
    _ = options.fingerprint  # one thread alone makes it
    with ThreadPoolExecutor(_QUESTIONS) as pool:
        verdicts = list(zip(plan.jobs, pool.map(partial(_judge, options), plan.jobs), strict=True))
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


def _judge(options: BatchOptions, job: PhotoJob) -> Verdict:
    provenance = options.provenance_of(job)
    return "missing" if provenance is None or job.output is None else judge_output(job.output, provenance)


def _remove_leftovers(jobs: Sequence[PhotoJob]) -> None:
    """Remove what killed runs left in the folders of the outputs."""
    targets = [path for job in jobs for path in (job.output, *job.side_outputs(), job.steps)]
    for folder in {path.parent for path in targets if isinstance(path, Path)}:
        remove_leftovers(folder)
