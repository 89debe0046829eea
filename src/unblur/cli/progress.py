"""How far a batch is: one moving line on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from types import TracebackType

from rich.console import Console
from rich.markup import escape as escape_markup
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from unblur.batch.jobs import PhotoJob
from unblur.cli.messages import say, show_name
from unblur.methods.base import Step, seconds_left

__all__ = ["ProgressLine"]

_SECONDS_BETWEEN_LINES = 5.0


class ProgressLine:
    """Progress over all photos of a batch, on standard error.

    Args:
        total: Photos.
        shown: False: never show it.
    """

    def __init__(self, total: int, *, shown: bool = True) -> None:
        self._total = total
        self._finished = 0
        self._under_way: dict[PhotoJob, float] = {}
        console = Console(stderr=True)
        self._bar = Progress(
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not (shown and total and console.is_terminal),
        )
        self._task = self._bar.add_task("starting", total=max(total, 1))
        self._lines = _TimedLines() if shown and total and not console.is_terminal else None

    def __enter__(self) -> ProgressLine:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # a terminal that is gone
            self._bar.stop()

    def step(self, job: PhotoJob, step: Step) -> None:
        """Show a photo's step."""
        self._under_way[job] = step.fraction
        count = f"{self._finished + 1} of {self._total}  " if self._total > 1 else ""
        self._show(f"{count}{show_name(job.name)}: {step.stage}")

    def finish(self) -> None:
        """Show that a photo is finished, well or not."""
        self._finished += 1
        # Which one it was does not matter: the photos that still work report again at their next step.
        self._under_way.clear()
        self._show(None)

    def say(self, line: str) -> None:
        """Print a line above the moving one."""
        if self._bar.disable:
            say(line)
            return
        with suppress(OSError):
            self._bar.console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)
            sys.stderr.flush()

    def _show(self, description: str | None) -> None:
        done = min(self._finished + sum(self._under_way.values()), self._total)
        self._bar.update(self._task, completed=done, description=description and escape_markup(description))
        if self._lines and description:
            self._lines.show(done / self._total, description, self._total)


class _TimedLines:
    """A line every few seconds, for logs and for people behind a pipe; nothing of a run that is over before that."""

    def __init__(self) -> None:
        self._start = self._last = time.monotonic()

    def show(self, fraction: float, description: str, photos: int) -> None:
        now = time.monotonic()
        if now - self._last < _SECONDS_BETWEEN_LINES:
            return
        self._last = now
        left = seconds_left(now - self._start, fraction, photos)
        say(f"{fraction:4.0%}{'' if left is None else f', about {_duration(left)} left'}  {description}")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
