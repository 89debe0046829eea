"""A benchmark run: pairs handed to worker processes, rows written as they come, a summary at the end."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from unblur.benchmarks.record import benchmark_record, check_record, write_record
from unblur.benchmarks.rows import Row, RowWriter
from unblur.benchmarks.suites import open_suite
from unblur.benchmarks.summary import Summary, combine, summarise, write_summary
from unblur.benchmarks.work import Order, empty_row, prepare_worker, run_pair
from unblur.datasets.pairs import PairedSet, choose
from unblur.errors import UsageError
from unblur.methods.apply import choose_device
from unblur.methods.catalog import settings_class_of
from unblur.methods.loading import choose_weights, load_method
from unblur.methods.settings import make_settings
from unblur.metrics.catalog import find_metrics
from unblur.system.atomic import make_folder

__all__ = ["Job", "RowHook", "run_benchmark", "run_benchmarks"]

RowHook = Callable[[Row, int, int], None]
"""Called with each row, how many there are now, and how many there will be."""


@dataclass(frozen=True)
class Job:
    """One pair for one method."""

    order: Order
    index: int


def _ignore(row: Row, done: int, total: int) -> None:
    """The hook of a caller who does not want to know."""


def run_benchmark(order: Order, *, jobs: int = 1, overwrite: bool = False, on_row: RowHook = _ignore) -> Summary:
    """Run one method over a suite; see `run_benchmarks`."""
    [summary] = run_benchmarks([order], jobs=jobs, overwrite=overwrite, on_row=on_row)
    return summary


def run_benchmarks(
    orders: Sequence[Order], *, jobs: int = 1, overwrite: bool = False, on_row: RowHook = _ignore
) -> list[Summary]:
    """Run methods over a suite into one folder: `rows.csv`, `record.json`, `summary.json`.

    Every pair is restored in a worker process on one torch thread, also with one job: times are comparable, and a crash
    costs one row. A run that was killed goes on where it ended when the same orders are given again. The summary of
    several methods holds what they have in common and each method's own, which also lies in `summaries/`.

    Args:
        orders: One for each method; they differ in method, settings and weights alone.
        jobs: Worker processes, 1 or more.
        overwrite: Drop the rows of another run in the folder.
        on_row: Told of each row as it is written.

    Raises:
        UsageError: An unknown suite, method, metric, setting or device, weights that cannot be used, a pattern without
            a pair, a limit or a number of jobs below 1, or a folder with the rows of another run.
        DataError: Data that are missing or incomplete.
        OutputError: The output folder cannot be written to.
    """
    pairs = _check(orders, jobs)
    chosen = choose(pairs, orders[0].limit, orders[0].only)
    out = orders[0].out
    record = benchmark_record(orders, pairs.names)
    make_folder(out)
    with RowWriter(out / "rows.csv", orders[0].metrics) as writer:
        if overwrite or writer.is_empty:
            writer.clear()
            (out / "summary.json").unlink(missing_ok=True)
            write_record(record, out)
        check_record(record, out)
        finished = writer.finished()
        done = {(row.method, row.index) for row in finished}
        waiting = [Job(order, index) for order in orders for index in chosen if (order.method, index) not in done]
        for count, row in enumerate(_run_all(waiting, pairs.names, jobs), start=len(finished) + 1):
            writer.append(row)
            on_row(row, count, len(orders) * len(chosen))
        # from the file, so that a run in pieces has the summary of one in a whole
        rows = writer.finished()
    return _write_summaries(rows, orders, jobs, pairs.blurs)


def _check(orders: Sequence[Order], jobs: int) -> PairedSet:
    """Complain before the work begins."""
    if jobs < 1 or any(order.limit is not None and order.limit < 1 for order in orders):
        raise UsageError("the number of jobs and the limit are whole numbers from 1 up")
    if len({order.method for order in orders}) < len(orders):
        raise UsageError("a method is named twice; each can be in a run once")
    for order in orders:
        choose_device(order.device)
        find_metrics(order.metrics)
        make_settings(settings_class_of(order.method), order.settings)
        if choose_weights(order.method, order.weights) is not None:
            load_method(order.method, order.settings, order.weights)  # bad weights show only when they are used
    return open_suite(orders[0].suite, orders[0].data, orders[0].table)


def _write_summaries(rows: Sequence[Row], orders: Sequence[Order], jobs: int, blurs: int) -> list[Summary]:
    out = orders[0].out
    summaries = [summarise([row for row in rows if row.method == order.method], order, jobs, blurs) for order in orders]
    if len(summaries) == 1:
        write_summary(summaries[0], out / "summary.json")
        return summaries
    make_folder(out / "summaries")
    for summary in summaries:
        write_summary(summary, out / "summaries" / f"{summary['method']}.json")
    write_summary(combine(summaries), out / "summary.json")
    return summaries


def _run_all(waiting: list[Job], names: Sequence[str], jobs: int) -> Iterator[Row]:
    """The rows in the order in which they are finished."""
    while waiting:
        lost: list[Job] = []
        with _pool(jobs) as pool:
            yield from _run_pool(pool, waiting, jobs, lost)
        # a process died and took its neighbours with it: each of them alone shows which one it was
        for job in lost:
            with _pool(1) as alone:
                yield _run_alone(alone, job, names[job.index])


def _run_pool(pool: ProcessPoolExecutor, waiting: list[Job], jobs: int, lost: list[Job]) -> Iterator[Row]:
    """Rows while the pool lives. Takes its work from `waiting`; what was running when it broke goes to `lost`."""
    running: dict[Future[Row], Job] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                job = waiting.pop(0)
                running[pool.submit(run_pair, job.order, job.index)] = job
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                row = future.result()
                del running[future]
                yield row
    except BrokenProcessPool:
        lost.extend(running.values())


def _run_alone(pool: ProcessPoolExecutor, job: Job, name: str) -> Row:
    try:
        return pool.submit(run_pair, job.order, job.index).result()
    except BrokenProcessPool:
        return empty_row(job.order, job.index, name, "the process that restored it died")


def _pool(jobs: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")  # a forked torch can hang
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=prepare_worker)
