"""What `unblur restore` does once its options are clear: check, run the plan, and say what happens."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing, nullcontext

from unblur.batch.executors import Executor
from unblur.batch.gallery import Gallery
from unblur.batch.inputs import describe_skipped
from unblur.batch.jobs import PhotoJob
from unblur.batch.options import BatchOptions
from unblur.batch.plan import Plan
from unblur.batch.report import Report
from unblur.batch.run import Tally, resume_plan, run_plan
from unblur.batch.work import PhotoResult
from unblur.batch.writing import PhotoWriter
from unblur.cli.messages import error_line, escape, say, show_name, warning_line
from unblur.cli.progress import ProgressLine
from unblur.errors import ClusterError, OutputError, WriteError
from unblur.methods.catalog import settings_class_of
from unblur.methods.loading import choose_weights
from unblur.methods.settings import make_settings
from unblur.system.signals import Interrupted, catch_signals

__all__ = ["carry_out", "check_options", "show_plan", "without_finished"]


def check_options(options: BatchOptions) -> None:
    """Refuse now what would fail for every photo; without torch unless weights are named, so it takes no time."""
    make_settings(settings_class_of(options.method), options.settings)
    chosen = choose_weights(options.method, options.weights)
    if chosen is not None and options.weights is not None:
        _ = options.ready_method  # whether weights of the caller's can be used shows only when they are


def without_finished(plan: Plan, options: BatchOptions, *, quiet: bool) -> Plan:
    """The plan for `--resume`; says once if results of other options are replaced."""
    resumed = resume_plan(plan, options)
    if resumed.redone and not quiet:
        say(warning_line(f"{resumed.redone} restored before with other options, so they are restored again"))
    return resumed


def show_plan(plan: Plan, options: BatchOptions, *, quiet: bool) -> int:
    """Say what `carry_out` would do, and return the exit code that can be foreseen; nothing is read or written."""
    refused = [(failure.name, failure.reason) for failure in plan.failures]
    for job in plan.jobs:
        if reason := _why_refused(job, options):
            refused.append((show_name(job.output), reason))
        elif not quiet:
            beside = "".join(f", {show_name(path)}" for path in job.side_outputs())
            say(f"{show_name(job.input)} -> {show_name(job.output)}{beside}")
    for name, reason in refused:
        say(error_line(reason, name))
    if not quiet:
        _say_passed_over(plan)
        to_do = len(plan.jobs) + len(plan.failures) - len(refused)
        say(f"{to_do} to do, {len(plan.skipped)} to skip, {len(refused)} would fail; nothing was written")
    return 1 if refused else 0


def carry_out(
    plan: Plan,
    options: BatchOptions,
    executor: Executor,
    report: Report | None = None,
    gallery: Gallery | None = None,
    *,
    quiet: bool,
    debug: bool,
) -> int:
    """Run the plan, say what happens, and return the exit code."""
    tally = Tally()
    try:
        with (
            report or nullcontext(),
            gallery or nullcontext(),
            catch_signals(signal.SIGINT, signal.SIGTERM),
            ProgressLine(len(plan.jobs), shown=not quiet) as progress,
            closing(run_plan(plan, options, executor=executor, on_step=progress.step)) as running,
        ):
            for outcome in running:
                tally.add(outcome)
                progress.finish()
                for line in _lines(outcome, quiet=quiet, debug=debug):
                    progress.say(line)
                if report:
                    report.add(outcome, options.restore)
                if gallery:
                    gallery.add(outcome)
        code = tally.exit_code
    except (ClusterError, OutputError, WriteError) as error:  # of all photos, report, gallery; others are outcomes
        code = 2
        say(error_line(str(error)))
    except Interrupted as interrupted:
        code = interrupted.exit_code
    if not quiet:
        _say_passed_over(plan)
        say(str(tally))
    return code


def _why_refused(job: PhotoJob, options: BatchOptions) -> str:
    """What writing would complain of; empty: nothing."""
    try:
        PhotoWriter(job, options.provenance_of(job) if job.replaceable == "own" else None).check_names()
    except (WriteError, OSError) as error:
        return str(error)
    return ""


def _say_passed_over(plan: Plan) -> None:
    if plan.not_photos:
        say(f"passed over: {escape(describe_skipped(plan.not_photos))}")


def _lines(outcome: PhotoResult, *, quiet: bool, debug: bool) -> Iterator[str]:
    if outcome.status == "failed":
        to_blame = outcome.output if outcome.fault in ("name", "format", "place") else outcome.input
        yield error_line(outcome.error, to_blame)
        if debug and outcome.trace:
            yield outcome.trace
    if quiet:
        return
    for warning in outcome.warnings:
        yield warning_line(warning, outcome.input)
    if outcome.status == "done":
        said = f"{_found(outcome)}{outcome.seconds:.1f} s"
        yield f"{show_name(outcome.input)} -> {show_name(outcome.output)} ({said})"


def _found(outcome: PhotoResult) -> str:
    """What a method says that it found, else the size of the kernel."""
    if "found" in outcome.facts:
        return f"{outcome.facts['found']}; "
    return f"kernel {outcome.kernel_size[0]}x{outcome.kernel_size[1]}, " if outcome.kernel_size else ""
