"""How long `unblur restore` takes to end after Ctrl-C, at moments that lie evenly in a run, and what it leaves behind.

    python speed/cancel.py PHOTO.jpg --method map
    python speed/cancel.py PHOTO.jpg --moments 20 --with=--solver=wiener --with=--kernel=K.png
    python speed/cancel.py PHOTO.jpg --seconds 1 5 20

Without `--seconds` a whole run comes first, to know how long it takes. Exit status 1 where an end took more than a
second, had another code than 130, or left a file. Wall seconds: beside other programs they are longer.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_BAR = 1.0
"""Seconds to the end of the process."""


@dataclass(frozen=True)
class End:
    """Seconds from the signal to the end, the exit code, and the names of files that are left."""

    seconds: float
    code: int
    left: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Quick, and either dropped without a trace or finished before the signal came."""
        whole = (self.code, self.left) == (0, ("out.jpg",))
        return self.seconds <= _BAR and (whole or (self.code, self.left) == (128 + signal.SIGINT, ()))


def main() -> int:
    """Measure, print a line for each moment, and return 1 where one is over the bar."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("photo", type=Path)
    words.add_argument("--method", default="map")
    words.add_argument("--moments", type=int, default=10)
    words.add_argument("--seconds", type=float, nargs="+", help="these moments, after the start, and no whole run")
    words.add_argument("--with", dest="options", action="append", default=[], help="a further option of the command")
    given = words.parse_args()
    command = ["restore", str(given.photo), "--quiet", "--method", given.method, *given.options]
    moments = given.seconds or _spread(_seconds_of(command), given.moments)
    ends = [interrupt(command, seconds) for seconds in moments]
    for seconds, end in zip(moments, ends, strict=True):
        verdict = "" if end.is_good else "  NOT GOOD"
        print(f"{seconds:8.1f} s  {end.seconds:5.2f} s to the end, code {end.code}, left: {end.left or '-'}{verdict}")
    print(f"at most {max(end.seconds for end in ends):.2f} s, load {os.getloadavg()[0]:.1f}")
    return int(not all(end.is_good for end in ends))


def interrupt(command: Sequence[str], seconds: float) -> End:
    """Start a command, send it SIGINT after so long, and wait for its end."""
    with tempfile.TemporaryDirectory() as folder:
        running = _start(command, folder)
        try:
            running.wait(seconds)
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGINT)
        asked = time.perf_counter()
        code = running.wait()
        return End(time.perf_counter() - asked, code, tuple(sorted(path.name for path in Path(folder).iterdir())))


def _seconds_of(command: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        if _start(command, folder).wait():
            raise SystemExit("the whole run failed")
        return time.perf_counter() - began


def _start(command: Sequence[str], folder: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"TMPDIR": folder}  # scratch files that are left are seen, too
    words = [sys.executable, "-m", "unblur", *command, "-o", str(Path(folder, "out.jpg"))]
    return subprocess.Popen(words, env=environment)  # noqa: S603 - our own program


def _spread(whole: float, moments: int) -> list[float]:
    return [whole * (number + 0.5) / moments for number in range(moments)]


if __name__ == "__main__":
    sys.exit(main())
