"""Tasks in the actors of a Ray cluster: distribution, answers, and survival of machines that are lost.

Ray Data hands the tasks out, one at a time to each actor, and gives those of a lost machine to another one; so a task
may be done twice, and has to allow it. An actor computes nothing itself: it has a worker process as a pool on one
machine has (`unblur.system.worker_pool`), so that a task that kills its process costs an answer and no actor, and is
not tried for ever.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from unblur.errors import ClusterError
from unblur.system.extras import import_extra
from unblur.system.worker_pool import Answer, Worker

__all__ = ["run_on_ray"]

TaskT = TypeVar("TaskT")
AnswerT = TypeVar("AnswerT")

_PATIENCE = 10.0
"""Seconds to wait for the machine whose address is given."""
_WAVE = 10_000
"""Tasks that Ray knows of at a time, so that its memory does not depend on their number."""


def run_on_ray(
    tasks: Sequence[TaskT],
    function: str,
    setup: Any,
    *,
    on_death: Callable[[TaskT, str], AnswerT],
    address: str | None = None,
    count: int | None = None,
    may_use_gpus: bool = True,
) -> Generator[AnswerT]:
    """The answers to `tasks` as they come, each once. Close the generator where it may be left early.

    Args:
        tasks: Objects that can be pickled, as must be answers; numbers and text arrive as those of NumPy. A task may be
            done twice, when its machine is lost.
        function: `module:name` as `run_in_workers` has it; its messages are dropped.
        setup: Goes to each actor once.
        on_death: The answer to a task whose process died, `SIGKILL` or `exit code 1`; a function of a module.
        address: `HOST:PORT` of a running cluster, or `auto`; None: one on this machine, for as long as this takes.
        count: Actors, at most; None: one for each GPU or, without any, for each processor core.
        may_use_gpus: Give each actor a GPU, if the cluster has any.

    Raises:
        MissingExtraError: Ray is not installed.
        ClusterError: The cluster cannot be reached, or breaks.
    """
    if not tasks:
        return
    with _connected(address) as ray:
        for start in range(0, len(tasks), _WAVE):
            resource = "GPU" if may_use_gpus and ray.cluster_resources().get("GPU") else "CPU"
            devices = max(1, int(ray.cluster_resources().get(resource, 0)))
            wave = tasks[start : start + _WAVE]
            actors = min(len(wave), devices, count or devices)
            yield from _run_wave(ray, wave, (function, setup, on_death), actors, gpus=resource == "GPU")


class _Actor(Generic[TaskT, AnswerT]):
    """What stands in the cluster for one device. Ray makes it anew on another machine when its own is lost."""

    def __init__(self, function: str, setup: Any, on_death: Callable[[TaskT, str], AnswerT]) -> None:
        self._start = lambda: Worker[TaskT](function, setup, threads=1)
        self._on_death = on_death
        self._worker: Worker[TaskT] | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[AnswerT]]:
        """Ray's form of a call: a column of tasks becomes a column of answers."""
        return {"answer": [self._answer(task) for task in batch["task"]]}

    def _answer(self, task: TaskT) -> AnswerT:
        worker = self._worker = self._worker or self._start()
        worker.start(task)
        while not isinstance(message := worker.listen(), Answer):
            if message is None:
                self._worker = None
                worker.close()
                return self._on_death(task, worker.end())
        return message.value


def _run_wave(ray: Any, tasks: Sequence[Any], made_from: tuple[Any, ...], actors: int, *, gpus: bool) -> Generator[Any]:
    # One task a block: a block is what Ray repeats when a machine is lost.
    rows = ray.data.from_items([{"task": task} for task in tasks], override_num_blocks=len(tasks))
    answers = rows.map_batches(
        _Actor,
        fn_constructor_args=made_from,
        batch_size=1,
        batch_format="numpy",
        num_cpus=1,
        num_gpus=1 if gpus else None,
        # It may shrink: actors of a machine that is lost are not waited for.
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors, initial_size=actors),
    )
    try:
        # No batch is fetched before it is asked for: each answer comes when it is there, not with the next.
        for batch in answers.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=0):
            yield from batch["answer"]
    except ray.exceptions.RayError as error:
        raise ClusterError(f"the Ray cluster failed: {str(error).splitlines()[0]}") from error


@contextmanager
def _connected(address: str | None) -> Generator[Any]:
    """Ray, connected to a cluster."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster that is started here sends nothing anywhere
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what Ray's own part writes goes among our messages
    ray = import_extra("ray", "--engine ray")
    import_extra("ray.data", "--engine ray")
    _quiet(ray)
    if ray.is_initialized():  # by a caller, who also ends it
        yield ray
        return
    try:
        _knock(address)
        with _own_signals():
            ray.init(
                address=address,
                include_dashboard=None if address or "RAY_ADDRESS" in os.environ else False,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
            )
    except (OSError, RuntimeError, ValueError) as error:
        where = f"the Ray cluster {address}" if address else "a Ray cluster on this machine"
        raise ClusterError(f"{where} cannot be reached: {' '.join(str(error).split())}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str | None) -> None:
    """Find out in seconds that nobody answers, for which Ray takes minutes.

    Raises:
        OSError: Nobody does.
        ValueError: The port is no number.
    """
    host, _, port = (address or "").rpartition(":")
    if host and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()


def _quiet(ray: Any) -> None:
    """What became of photos is said by whoever runs this; Ray's own log stays in its folder."""
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)


@contextmanager
def _own_signals() -> Generator[None]:
    """Within, handlers of signals that Ray sets are replaced by those from before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
