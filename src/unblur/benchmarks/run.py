"""A benchmark run: pairs handed to worker processes, rows written as they come, a summary at the end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from unblur.benchmarks.options import BenchmarkOptions
from unblur.benchmarks.pair_run import PairRun, empty_row
from unblur.benchmarks.record import benchmark_record, check_record, write_record
from unblur.benchmarks.rows import Row, RowWriter
from unblur.benchmarks.suites import open_suite
from unblur.benchmarks.summary import Summary, combine, summarise, write_summary
from unblur.datasets.pairs import PairedSet, choose
from unblur.errors import UsageError
from unblur.methods.apply import choose_device
from unblur.methods.catalog import settings_class_of
from unblur.methods.loading import choose_weights, load_method
from unblur.methods.settings import make_settings
from unblur.metrics.catalog import find_metrics
from unblur.system.atomic import make_folder
from unblur.system.worker_pool import run_in_workers

__all__ = ["RowHook", "run_benchmark", "run_benchmarks"]

RowHook = Callable[[Row, int, int], None]
"""Called with each row, how many there are now, and how many there will be."""


def _ignore(row: Row, done: int, total: int) -> None:
    """The default hook."""


def run_benchmark(
    options: BenchmarkOptions, *, jobs: int = 1, overwrite: bool = False, on_row: RowHook = _ignore
) -> Summary:
    """Run one method over a suite; see `run_benchmarks`."""
    [summary] = run_benchmarks([options], jobs=jobs, overwrite=overwrite, on_row=on_row)
    return summary


def run_benchmarks(
    runs: Sequence[BenchmarkOptions], *, jobs: int = 1, overwrite: bool = False, on_row: RowHook = _ignore
) -> list[Summary]:
    """Run methods over a suite into one folder: `rows.csv`, `record.json`, `summary.json`.

    Every pair is restored in a worker process on one torch thread, also with one job: times are comparable, and a crash
    costs one row. A run that was killed continues where it ended when the same options are given again. The summary of
    several methods holds what they have in common and each method's own, which also lies in `summaries/`.

    Args:
        runs: Options for each method; they differ in method, settings, weights and subfolder alone.
        jobs: Worker processes, 1 or more.
        overwrite: Drop the rows of another run in the folder.
        on_row: Called with each row as it is written.

    Raises:
        UsageError: An unknown suite, method, metric, setting or device, weights that cannot be used, a pattern without
            a pair, a limit or a number of jobs below 1, or a folder with the rows of another run.
        DataError: Data that are missing or incomplete.
        OutputError: The output folder cannot be written to.
    """
    pairs = _check(runs, jobs)
    chosen = choose(pairs, runs[0].limit, runs[0].only)
    out = runs[0].out
    record = benchmark_record(runs, pairs.names)
    make_folder(out)
    with RowWriter(out / "rows.csv", runs[0].metrics) as writer:
        if overwrite or writer.is_empty:
            writer.clear()
            (out / "summary.json").unlink(missing_ok=True)
            write_record(record, out)
        check_record(record, out)
        finished = writer.finished()
        done = {(row.method, row.index) for row in finished}
        waiting = [
            PairRun(options, index) for options in runs for index in chosen if (options.method, index) not in done
        ]
        with closing(_run_all(waiting, pairs.names, jobs)) as rows_to_come:
            for count, row in enumerate(rows_to_come, start=len(finished) + 1):
                writer.append(row)
                on_row(row, count, len(runs) * len(chosen))
        # from the file, so that a run in pieces has the summary of one in a whole
        rows = writer.finished()
    return _write_summaries(rows, runs, jobs, pairs.blurs)


def _check(runs: Sequence[BenchmarkOptions], jobs: int) -> PairedSet:
    """Check options before the work begins."""
    if jobs < 1 or any(options.limit is not None and options.limit < 1 for options in runs):
        raise UsageError("the number of jobs and the limit are whole numbers from 1 up")
    if len({options.method for options in runs}) < len(runs):
        raise UsageError("a method is named twice; each can be in a run once")
    for options in runs:
        choose_device(options.device)
        find_metrics(options.metrics)
        make_settings(settings_class_of(options.method), options.settings)
        if choose_weights(options.method, options.weights) is not None:
            load_method(options.method, options.settings, options.weights)  # bad weights show only when they are used
    return open_suite(runs[0].suite, runs[0].data, runs[0].pair_list)


def _write_summaries(rows: Sequence[Row], runs: Sequence[BenchmarkOptions], jobs: int, blurs: int) -> list[Summary]:
    out = runs[0].out
    summaries = [
        summarise([row for row in rows if row.method == options.method], options, jobs, blurs) for options in runs
    ]
    if len(summaries) == 1:
        write_summary(summaries[0], out / "summary.json")
        return summaries
    make_folder(out / "summaries")
    for summary in summaries:
        write_summary(summary, out / "summaries" / f"{summary['method']}.json")
    write_summary(combine(summaries), out / "summary.json")
    return summaries


def _run_all(waiting: Sequence[PairRun], names: Sequence[str], jobs: int) -> Generator[Row]:
    """The rows in the order in which they are finished."""

    def lost(run: PairRun, how: str) -> Row:
        return empty_row(run.options, run.index, names[run.index], f"the process that restored it died ({how})")

    return run_in_workers(
        waiting,
        "unblur.benchmarks.pair_run:run_pair_in_worker",
        None,
        count=jobs,
        threads=1,  # so that times mean the same everywhere
        on_death=lost,
    )
