"""`unblur restore --watch`: photos are restored as they come into folders, each once it is all there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from unblur.batch.inputs import Failure
from unblur.batch.jobs import PhotoJob
from unblur.batch.places import Place
from unblur.batch.plan import Plan
from unblur.cli.messages import error_line, say
from unblur.errors import UnblurError

__all__ = ["SECONDS_BETWEEN_LOOKS", "watch"]

SECONDS_BETWEEN_LOOKS = 2.0
"""A file that has not changed from one look to the next is taken for finished."""

Stamp = tuple[int, int, int]


def watch(make_plan: Callable[[], Plan], run: Callable[[Plan], int]) -> int:
    """Look again and again until a signal ends it or no output can be written any more.

    A photo that failed is tried again when its file has changed. Nothing is remembered from one start to the next: what
    is restored already, the outputs themselves say.

    Args:
        make_plan: What becomes what, now.
        run: Carries out a plan, and returns the exit code.

    Returns:
        The exit code of the run that ended it: 2, or that of the signal.
    """
    finished = _FinishedFiles()
    while True:
        try:
            plan = finished.only_new(make_plan())
        except UnblurError as error:  # such as two photos for one output: somebody may put it right
            finished.complain(str(error))
            plan = Plan(())
        if plan.jobs or plan.failures:
            code = run(plan)
            if code > 1:
                return code
        time.sleep(SECONDS_BETWEEN_LOOKS)


class _FinishedFiles:
    """Which files are as they were at the last look, and which of these were given out already."""

    def __init__(self) -> None:
        self._last: dict[Place, Stamp] = {}
        self._given: dict[Place, Stamp] = {}
        self._said: set[Failure | str] = set()

    def only_new(self, plan: Plan) -> Plan:
        """The plan, limited to photos that are finished and were not tried as they are now."""
        stamps = {job.input: stamp for job in plan.jobs if job.input and (stamp := _stamp(job.input))}
        ready = tuple(job for job in plan.jobs if self._is_ready(job, stamps))
        self._last = stamps
        self._given = {path: stamp for path, stamp in self._given.items() if path in stamps}
        self._given |= {job.input: stamps[job.input] for job in ready if job.input}
        failures = tuple(failure for failure in plan.failures if failure not in self._said)
        self._said.update(failures)
        return replace(plan, jobs=ready, failures=failures, not_photos=())

    def complain(self, reason: str) -> None:
        """Say what hinders, once."""
        if reason not in self._said:
            say(error_line(reason))
            self._said.add(reason)

    def _is_ready(self, job: PhotoJob, stamps: dict[Place, Stamp]) -> bool:
        path = job.input
        if path is None or path not in stamps:
            return False
        return self._last.get(path) == stamps[path] != self._given.get(path)


def _stamp(path: Place) -> Stamp | None:
    """What changes when somebody writes to the file; None: it is gone, or nothing is in it yet."""
    if not isinstance(path, Path):
        return None
    try:
        facts = path.stat()
    except OSError:
        return None
    return (facts.st_ino, facts.st_size, facts.st_mtime_ns) if facts.st_size else None
