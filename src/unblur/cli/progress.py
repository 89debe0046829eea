"""One moving line on the terminal: how far the batch is, what is being done, how long it will take."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.markup import escape as escape_markup
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from unblur.batch.plan import Job
from unblur.cli.messages import say, show_name
from unblur.methods.base import Step

__all__ = ["ProgressLine"]


class ProgressLine:
    """Progress over all photos of a batch; the line appears only where standard error is a terminal.

    Args:
        total: Photos.
        shown: False: never show it.
    """

    def __init__(self, total: int, *, shown: bool = True) -> None:
        self._total = total
        self._finished = 0
        self._under_way: dict[Job, float] = {}
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

    def __enter__(self) -> ProgressLine:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def step(self, job: Job, step: Step) -> None:
        """Show a photo's step."""
        self._under_way[job] = step.fraction
        count = f"{self._finished + 1} of {self._total}  " if self._total > 1 else ""
        name = escape_markup(show_name(job.input and job.input.name))
        self._show(f"{count}{name}: {escape_markup(step.stage)}")

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
        else:
            self._bar.console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)
            sys.stderr.flush()

    def _show(self, description: str | None) -> None:
        done = min(self._finished + sum(self._under_way.values()), self._total)
        self._bar.update(self._task, completed=done, description=description)
