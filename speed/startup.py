"""Start-up time: `import unblur`, and commands that must answer at once because they leave torch alone.

    python speed/startup.py             processor seconds, least and median of 5 fresh processes

Exit status 1 where the least is over its limit. Processor seconds hardly depend on what else runs; wall seconds do.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from statistics import median

LIMITS = {
    "import unblur": 0.3,
    "unblur --help": 0.4,
    "unblur restore --help": 0.5,
    "unblur blur --help": 0.5,
    "unblur methods": 0.5,
    "unblur data list": 0.5,
    "unblur experiment": 0.5,
    "unblur restore missing.jpg": 0.5,
}
"""Processor seconds, without those that the interpreter itself takes to start."""
TIMED = """
import contextlib, io, sys, time
start, wall = time.process_time(), time.perf_counter()
import unblur
if sys.argv[1:]:
    from unblur.cli.main import main
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        main(sys.argv[1:])
print(time.process_time() - start, time.perf_counter() - wall)
"""


def main() -> int:
    """Measure, print a table, and return 1 where a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5, help="processes a line")
    repeat = parser.parse_args().repeat
    failed = False
    print(f"{'':28} least  median  median of wall seconds  limit")
    for line, limit in LIMITS.items():
        processor, wall = zip(*(seconds_of(line) for _ in range(repeat)), strict=True)
        failed |= min(processor) > limit
        verdict = "  OVER" if min(processor) > limit else ""
        print(f"{line:28} {min(processor):5.3f}  {median(processor):6.3f}  {median(wall):22.3f}  {limit:5}{verdict}")
    return int(failed)


def seconds_of(line: str) -> tuple[float, float]:
    """Processor and wall seconds of one line in a process of its own."""
    words = [] if line.startswith("import") else line.split()[1:]
    command = [sys.executable, "-c", TIMED, *words]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    processor, wall = ran.stdout.split()
    return float(processor), float(wall)


if __name__ == "__main__":
    sys.exit(main())
