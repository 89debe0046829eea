"""What `unblur restore` does once its options are clear: check, run the plan, and say what happens."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TextIO

from unblur.batch.inputs import explain
from unblur.batch.options import BatchOptions
from unblur.batch.plan import Plan
from unblur.batch.report import report_line
from unblur.batch.run import exit_code, resume_plan, run_plan
from unblur.batch.work import PhotoResult
from unblur.cli.messages import error_line, say, show_name, warning_line
from unblur.cli.progress import ProgressLine
from unblur.errors import OutputError, UsageError
from unblur.methods.catalog import settings_class_of
from unblur.methods.loading import choose_weights
from unblur.methods.settings import make_settings
from unblur.system.signals import Interrupted, catch_signals

__all__ = ["carry_out", "check_options", "without_finished"]


def check_options(options: BatchOptions) -> None:
    """Refuse now what would fail for every photo; without torch where there are no weights, so it takes no time."""
    make_settings(settings_class_of(options.method), options.settings)
    if choose_weights(options.method, options.weights) is not None:
        _ = options.ready_method  # whether weights can be used shows only when they are


@contextmanager
def _open_report(place: str | None, plan: Plan) -> Generator[TextIO | None]:
    if place is None:
        yield None
        return
    path = Path(place)
    if path.exists() and any(path.samefile(job.input) for job in plan.jobs if job.input):
        raise UsageError("the report would be written onto a photo")
    try:
        file = path.open("w", encoding="ascii")
    except OSError as error:
        raise OutputError(f"the report {show_name(place)} {explain(error)}") from error
    with file:
        yield file


def without_finished(plan: Plan, options: BatchOptions, *, quiet: bool) -> Plan:
    """The plan for `--resume`; says once if results of other options are replaced."""
    resumed = resume_plan(plan, options)
    if resumed.redone and not quiet:
        say(warning_line(f"{resumed.redone} restored before with other options, so they are restored again"))
    return resumed


def carry_out(plan: Plan, options: BatchOptions, jobs: int, report: str | None, *, quiet: bool, debug: bool) -> int:
    """Run the plan, say what happens, and return the exit code."""
    outcomes: list[PhotoResult] = []
    with (
        _open_report(report, plan) as report_file,
        catch_signals(signal.SIGINT, signal.SIGTERM),
        ProgressLine(len(plan.jobs), shown=not quiet) as progress,
    ):
        running = run_plan(plan, options, jobs=jobs, on_step=progress.step)
        try:
            with closing(running):
                for outcome in running:
                    outcomes.append(outcome)
                    progress.finish()
                    for line in _lines(outcome, quiet=quiet, debug=debug):
                        progress.say(line)
                    if report_file:
                        _write_line(report_file, report_line(outcome, options.restore))
            code = exit_code(outcomes)
        except Interrupted as interrupted:
            code = interrupted.exit_code
    if not quiet:
        say(_summary(outcomes))
    return code


def _lines(outcome: PhotoResult, *, quiet: bool, debug: bool) -> Iterator[str]:
    if outcome.status == "failed":
        to_blame = outcome.output if outcome.fault in ("name", "place") else outcome.input
        yield error_line(outcome.error, to_blame)
        if debug and outcome.trace:
            yield outcome.trace
    if quiet:
        return
    for warning in outcome.warnings:
        yield warning_line(warning, outcome.input)
    if outcome.status == "done":
        kernel = f"kernel {outcome.kernel_size[0]}x{outcome.kernel_size[1]}, " if outcome.kernel_size else ""
        yield f"{show_name(outcome.input)} -> {show_name(outcome.output)} ({kernel}{outcome.seconds:.1f} s)"


def _write_line(report: TextIO, line: str) -> None:
    try:
        report.write(f"{line}\n")
        report.flush()
    except OSError as error:
        raise OutputError(f"the report cannot be written: {explain(error)}") from error


def _summary(outcomes: Sequence[PhotoResult]) -> str:
    counts = {status: sum(outcome.status == status for outcome in outcomes) for status in ("done", "skipped", "failed")}
    return ", ".join(f"{count} {status}" for status, count in counts.items())
