"""Fill a stretch of GPU time with the best next runs of queue.toml, and keep what is worth keeping.

    python recipes/fill_gpu.py --minutes 10 --keep kept          on the GPU
    python recipes/fill_gpu.py --minutes 10 --runs kept          elsewhere, later: goes on from what was kept
    python recipes/fill_gpu.py --rehearse neurmap/motion-on      ten steps on a processor

A run that is cut off by the clock is stopped as by Ctrl-C, with a checkpoint, and the next call goes on with it. In the
folder `--keep` are, of every run, its weights, its logs and its newest checkpoint, where that is below 16 MiB.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

QUEUE = Path(__file__).parent / "queue.toml"
LARGEST = 16 * 2**20
"""Bytes of the largest file that is kept."""
REHEARSAL = (
    "--trainer.max_steps 10 --trainer.accelerator cpu --trainer.precision 32-true --data.workers 0 "
    "--data.validation_samples 1"
)
_ON_GPU = "--trainer.accelerator gpu --trainer.devices 1"
_STOPPING = 60.0
"""Seconds that a run needs to write its checkpoint after it was stopped."""
_LEAST = 60.0
"""Seconds below which no run is begun."""


@dataclass(frozen=True)
class Queued:
    """A line of the queue; its fields are those of queue.toml."""

    name: str
    command: str
    minutes: float
    gain: str
    after: tuple[str, ...] = ()
    data: dict[str, str] = field(default_factory=dict[str, str])
    rehearsal: str = ""

    @property
    def is_training(self) -> bool:
        return self.command.startswith("train ")

    def words(self, runs: Path, more: str = "") -> list[str]:
        """The command line, its run in its folder below `runs`."""
        usual = _ON_GPU if self.is_training else ""
        line = f"{self.command.replace('{runs}', str(runs))} {more or usual}"
        return [sys.executable, "-m", "unblur", *shlex.split(line), "--out", str(runs / self.name)]

    def is_done(self, runs: Path) -> bool:
        """Whether it came to its end: only then are there weights, or a summary."""
        folder = runs / self.name
        return any(folder.glob("*.safetensors")) or (folder / "summary.json").is_file()


def main(words: Sequence[str] | None = None) -> int:
    given = read_options(words)
    queue = read_queue()
    if given.rehearse:
        return rehearse([one for one in queue if given.rehearse in (one.name, "all")], given.runs / "rehearsal")
    end = time.monotonic() + 60 * given.minutes
    failed: set[str] = set()
    while (left := end - time.monotonic() - _STOPPING) > _LEAST:
        run = next_run(queue, given.runs, failed)
        if run is None:
            break
        print(f"{run.name}: {left / 60:.0f} minutes left, {run.minutes:g} expected in all", flush=True)
        if not carry_on(run, given.runs, left):
            failed.add(run.name)
    if given.keep:
        keep(queue, given.runs, given.keep)
    return 1 if failed else 0


def read_options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10, help="time to fill, its last minute for checkpoints")
    parser.add_argument("--runs", type=Path, default=Path("runs/train"), help="folder of all runs")
    parser.add_argument("--keep", type=Path, help="folder for what is worth keeping")
    parser.add_argument("--rehearse", metavar="NAME", help="ten steps of a run on a processor, or of all")
    return parser.parse_args(words)


def read_queue() -> list[Queued]:
    entries = tomllib.loads(QUEUE.read_text(encoding="utf-8"))["run"]
    return [Queued(**entry | {"after": tuple(entry.get("after", ()))}) for entry in entries]


def next_run(queue: Iterable[Queued], runs: Path, failed: set[str]) -> Queued | None:
    """The first that is not done and has what it begins with."""
    queue = list(queue)
    done = {one.name for one in queue if one.is_done(runs)}
    open_runs = (one for one in queue if one.name not in done | failed and done.issuperset(one.after))
    return next(open_runs, None)


def carry_on(run: Queued, runs: Path, seconds: float) -> bool:
    """Begin a run or go on with it, for so long at most; whether nothing went wrong."""
    make_data(run)
    process = subprocess.Popen(run.words(runs))
    try:
        return process.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        return process.wait() == 128 + signal.SIGTERM


def make_data(run: Queued) -> None:
    """What a run needs of data that unblur makes, where it is not there."""
    if run.data and not Path(run.data["folder"]).exists():
        subprocess.run([sys.executable, "-m", "unblur", *shlex.split(run.data["command"])], check=True)


def rehearse(queue: Iterable[Queued], runs: Path) -> int:
    """Ten steps of each on a processor, in a folder of their own; the number of those that failed."""
    failures = 0
    for run in queue:
        make_data(run)
        begun = time.monotonic()
        more = run.rehearsal or REHEARSAL
        failed = subprocess.run(run.words(runs, more), check=False).returncode
        failures += bool(failed)
        print(f"{run.name}: {'failed' if failed else 'ten steps'}, {time.monotonic() - begun:.0f} s", flush=True)
    return failures


def keep(queue: Iterable[Queued], runs: Path, kept: Path) -> None:
    """Copy weights, cards, logs and the newest checkpoint of every run, files below `LARGEST` only."""
    for folder in (runs / one.name for one in queue if (runs / one.name).is_dir()):
        checkpoints = sorted((folder / "checkpoints").glob("step-*.ckpt"), key=lambda path: path.stat().st_mtime)
        files = [path for path in folder.iterdir() if path.is_file() and path.name != "lock"]
        for path in [*files, *checkpoints[-1:]]:
            if path.stat().st_size < LARGEST:
                target = kept / path.relative_to(runs)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
            else:
                print(f"{path}: {path.stat().st_size / 2**20:.0f} MiB, not kept", flush=True)


if __name__ == "__main__":
    sys.exit(main())
