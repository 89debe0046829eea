"""A benchmark run: pairs handed to worker processes, rows written as they come, a summary at the end."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from unblur.benchmarks.rows import Row, RowWriter
from unblur.benchmarks.suites import open_suite
from unblur.benchmarks.summary import Summary, summarise, write_summary
from unblur.benchmarks.work import Order, empty_row, prepare_worker, run_pair
from unblur.datasets.pairs import spread
from unblur.errors import OutputError, UsageError
from unblur.methods.catalog import settings_class_of
from unblur.methods.settings import make_settings

__all__ = ["RowHook", "run_benchmark"]

RowHook = Callable[[Row, int, int], None]
"""Called with each row, how many there are now, and how many there will be."""


def _ignore(row: Row, done: int, total: int) -> None:
    """The hook of a caller who does not want to know."""


def run_benchmark(order: Order, *, jobs: int = 1, on_row: RowHook = _ignore) -> Summary:
    """Run a method over a suite and write `rows.csv` and `summary.json` into `order.out`, replacing earlier ones.

    Every pair is restored in a worker process on one torch thread, also with one job: times are comparable, and a crash
    costs one row.

    Args:
        order: What to run.
        jobs: Worker processes, 1 or more.
        on_row: Told of each row as it is written.

    Raises:
        UsageError: An unknown suite, method or setting, or a limit or a number of jobs below 1.
        DataError: Data that are missing or incomplete.
        OutputError: The output folder cannot be written to.
    """
    if jobs < 1 or (order.limit is not None and order.limit < 1):
        raise UsageError("the number of jobs and the limit are whole numbers from 1 up")
    make_settings(settings_class_of(order.method), order.settings)  # complain before the work begins
    pairs = open_suite(order.suite, order.data, order.table)
    chosen = spread(pairs, order.limit)
    _make_folder(order)
    rows: list[Row] = []
    with RowWriter(order.out / "rows.csv") as writer:
        for row in _run_all(order, chosen, pairs.names, jobs):
            writer.append(row)
            rows.append(row)
            on_row(row, len(rows), len(chosen))
    summary = summarise(rows, order, jobs)
    write_summary(summary, order.out / "summary.json")
    return summary


def _make_folder(order: Order) -> None:
    try:
        order.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise OutputError(f"the output folder cannot be made: {reason}") from error


def _run_all(order: Order, chosen: Sequence[int], names: Sequence[str], jobs: int) -> Iterator[Row]:
    """The rows in the order in which they are finished."""
    waiting = list(chosen)
    while waiting:
        lost: list[int] = []
        with _pool(jobs) as pool:
            yield from _run_pool(pool, order, waiting, jobs, lost)
        # a process died and took its neighbours with it: each of them alone shows which one it was
        for index in lost:
            with _pool(1) as alone:
                yield _run_alone(alone, order, index, names[index])


def _run_pool(pool: ProcessPoolExecutor, order: Order, waiting: list[int], jobs: int, lost: list[int]) -> Iterator[Row]:
    """Rows while the pool lives. Takes its work from `waiting`; what was running when it broke goes to `lost`."""
    running: dict[Future[Row], int] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running[pool.submit(run_pair, order, waiting[0])] = waiting[0]
                del waiting[0]
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                row = future.result()
                del running[future]
                yield row
    except BrokenProcessPool:
        lost.extend(running.values())


def _run_alone(pool: ProcessPoolExecutor, order: Order, index: int, name: str) -> Row:
    try:
        return pool.submit(run_pair, order, index).result()
    except BrokenProcessPool:
        return empty_row(order, name, "the process that restored it died")


def _pool(jobs: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")  # a forked torch can hang
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=prepare_worker)
