"""How long files that claim to be huge, or that decode slowly, keep their readers: seconds and extra memory a file.

    python speed/hostile_files.py

Photos are decoded in the worker process, weights in this one. Exit status 1 where a file takes longer than its limit:
2 s (the slow scan: 10 s at a limit of one processor second), +300 MB for a photo and +200 MB for weights.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the files are those of the tests

import hostile
import hostile_checkpoints
from unblur.errors import UnblurError
from unblur.images.decoder import decoder
from unblur.images.files import read_image
from unblur.images.limits import Limits
from unblur.system.memory import peak_mb, restart_peak
from unblur.weights.checkpoint import read_checkpoint


def main() -> int:
    """Measure, print a table, and return 1 where a limit is exceeded."""
    read_image(hostile.seeds()["rgba.png"])  # starts the worker
    passed = [
        report(name, partial(read_image, data), peak_of_worker, seconds=2, megabytes=300)
        for name, data in hostile.bombs().items()
    ]
    slow = hostile.scan_bomb()
    one_second = Limits(cpu_seconds=1)
    passed.append(report("scan bomb", lambda: read_image(slow, limits=one_second), None, seconds=10, megabytes=300))
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (hostile_checkpoints.good_files() | hostile_checkpoints.bombs()).items():
            Path(folder, name).write_bytes(data)
        for name in ("plain.pth", "plain.safetensors"):
            read_checkpoint(Path(folder, name))  # what torch itself needs
        for name in hostile_checkpoints.bombs():
            restart_peak()
            path = Path(folder, name)
            passed.append(report(name, lambda path=path: read_checkpoint(path), peak_mb, seconds=2, megabytes=200))
    return int(not all(passed))


def report(
    name: str, read: Callable[[], object], peak: Callable[[], float] | None, *, seconds: float, megabytes: float
) -> bool:
    """Read one file, print what it cost, and say whether that is within the limits."""
    before, start = peak() if peak else 0.0, time.perf_counter()
    with suppress(UnblurError):
        read()
    taken, grown = time.perf_counter() - start, peak() - before if peak else 0.0
    within = taken <= seconds and grown <= megabytes
    print(f"{name:32} {taken:6.2f} s  {grown:+7.1f} MB{'' if within else '  OVER'}")
    return within


def peak_of_worker() -> float:
    """Peak memory of the decoding process in MB."""
    status = Path(f"/proc/{decoder.pid}/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


if __name__ == "__main__":
    sys.exit(main())
