"""A plan carried out: here or in several processes, on past photos that fail, never past a place that is full."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from unblur.batch.options import BatchOptions
from unblur.batch.plan import Job, Plan
from unblur.batch.resume import Notes, Verdict
from unblur.batch.work import JobHook, PhotoResult, restore_job
from unblur.batch.workers import run_in_workers
from unblur.methods.base import Step

__all__ = ["exit_code", "resume_plan", "run_plan"]


def ignore_step(job: Job, step: Step) -> None:
    """The hook of a caller who does not want to know."""


def run_plan(
    plan: Plan, options: BatchOptions, *, jobs: int = 1, on_step: JobHook = ignore_step
) -> Generator[PhotoResult]:
    """The outcome of each photo as it is finished; ends early when no output can be written any more.

    Close the iterator (`contextlib.closing`) where it may be left early: that ends the workers.

    Args:
        plan: What becomes what.
        options: For every photo.
        jobs: Processes; 1 is this one.
        on_step: Called with the steps of each photo; raises `Cancelled` to stop that photo.
    """
    for failure in plan.failures:
        yield PhotoResult(failure.path, None, "failed", error=failure.reason, fault="photo")
    for job in plan.skipped:
        yield PhotoResult(job.input, job.output, "skipped", method=options.method)
    count = min(jobs, len(plan.jobs))
    run = run_in_workers(plan.jobs, options, count, on_step) if count > 1 else _run_here(plan.jobs, options, on_step)
    for outcome in run:
        yield outcome
        if outcome.fault == "place":
            return


def resume_plan(plan: Plan, options: BatchOptions) -> Plan:
    """The plan without the photos that were restored before with the same options."""
    notes = Notes()
    verdicts = [(job, _judge(job, options, notes)) for job in plan.jobs]
    return replace(
        plan,
        jobs=tuple(
            replace(job, overwrite=True) if verdict == "changed" else job
            for job, verdict in verdicts
            if verdict != "same"
        ),
        skipped=tuple(job for job, verdict in verdicts if verdict == "same"),
        redone=sum(verdict == "changed" for _, verdict in verdicts),
    )


def exit_code(outcomes: Sequence[PhotoResult]) -> int:
    """0 all done; 1 some failed; 2 nothing could start, or no output can be written."""
    faults = [outcome.fault for outcome in outcomes if outcome.status == "failed"]
    if "place" in faults:
        return 2
    if faults and len(faults) == len(outcomes) and all(fault == "usage" for fault in faults):
        return 2
    return 1 if faults else 0


def _run_here(jobs: Sequence[Job], options: BatchOptions, on_step: JobHook) -> Iterator[PhotoResult]:
    for job in jobs:
        yield restore_job(job, options, on_step)


def _judge(job: Job, options: BatchOptions, notes: Notes) -> Verdict:
    if job.input is None or job.output is None or not job.input.exists():
        return "missing"
    return notes.judge(job.output, options.fingerprint(job.input))
