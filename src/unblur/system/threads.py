"""Pieces of work side by side on threads: torch lets go of the interpreter while it computes.

Threads that each compute their own piece do more than threads that share each operation and wait for each other at its
end, and they suffer far less from other programs on the same processor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

import torch

__all__ = ["Job", "run_side_by_side"]

T = TypeVar("T")
Job = Callable[[Callable[[], None]], T]
"""Gets a function to call between its steps, which raises when the job is to stop."""


class _Stopped(Exception):  # noqa: N818 - it ends a thread and is never an error
    """Nobody waits for this result any more."""


def run_side_by_side(jobs: Iterable[Job[T]], on_step: Callable[[], None] = lambda: None) -> Iterator[T]:
    """The results of jobs, in their order; no more jobs are under way or waited for than torch may use threads.

    With one thread the jobs simply run one after the other. The results are the same for every number of threads, as
    far as torch's are.

    Args:
        jobs: Functions that compute on the CPU.
        on_step: Called in the caller's thread for every step of every job; raises to stop them all.
    """
    threads = torch.get_num_threads()
    if threads == 1:
        for job in jobs:
            yield job(on_step)
        return
    stop, steps = Event(), SimpleQueue[bool]()
    tell, learning = _teller(stop, steps), torch.is_grad_enabled()

    def work(job: Job[T]) -> T:
        # Both hold for one thread alone.
        torch.set_num_threads(1)
        with torch.set_grad_enabled(learning):
            return job(tell)

    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for job in jobs:
                waiting.append(pool.submit(work, job))
                waiting[-1].add_done_callback(lambda _: steps.put(False))
                if len(waiting) > threads:
                    yield _wait(waiting.popleft(), steps, on_step)
            while waiting:
                yield _wait(waiting.popleft(), steps, on_step)
        finally:
            stop.set()
            for future in waiting:
                future.cancel()
            # Threads that are started later take the number that was set last, wherever it was set.
            torch.set_num_threads(threads)


def _teller(stop: Event, steps: SimpleQueue[bool]) -> Callable[[], None]:
    def tell() -> None:
        if stop.is_set():
            raise _Stopped
        steps.put(True)

    return tell


def _wait(future: Future[T], steps: SimpleQueue[bool], on_step: Callable[[], None]) -> T:
    """The result, passing steps on meanwhile; whatever ends says so by False."""
    while not future.done() or not steps.empty():
        if steps.get():
            on_step()
    return future.result()
