"""How long `unblur restore` takes for two photos, and how much memory: medians of whole commands.

    python speed/photos.py PHOTO.jpg --out results/DATE-speed-map

PHOTO is a photo of 16 megapixels; its middle of 1280x720 pixels is the second one. Start and files are
included. Meant for a quiet machine: what else runs is seen in the load, and where it is not 0, processor seconds tell
more than wall time.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median

from PIL import Image

from unblur.system.facts import run_facts

_BARS = {"16 MP": (60.0, 4096.0), "1280x720": (10.0, 4096.0)}
"""Seconds and MiB that a run on two quiet cores must not exceed."""


@dataclass(frozen=True)
class Run:
    """One command: wall and processor seconds, peak memory, and how many other programs wanted a core at its start."""

    photo: str
    seconds: float
    processor_seconds: float
    peak_mb: float
    load: float


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("photo", type=Path)
    words.add_argument("--repeat", type=int, default=3)
    words.add_argument("--method", default="map")
    words.add_argument("--out", type=Path, help="folder for runs.csv and summary.json")
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, "small.jpg")
        _cut_middle(given.photo, small)
        photos = {"16 MP": given.photo, "1280x720": small}
        runs = [
            measure(name, path, given.method, Path(folder, "out.jpg"))
            for _ in range(given.repeat)
            for name, path in photos.items()
        ]
    summary: dict[str, object] = {"suite": "speed", "method": given.method, **run_facts(), "photos": _medians(runs)}
    print(json.dumps(summary, indent=2))
    if given.out:
        _store(given.out, runs, summary)


def _cut_middle(photo: Path, small: Path) -> None:
    with Image.open(photo) as image:
        left, top = (image.width - 1280) // 2, (image.height - 720) // 2
        image.crop((left, top, left + 1280, top + 720)).save(small, quality=95)


def measure(name: str, photo: Path, method: str, out: Path, options: Sequence[str] = ()) -> Run:
    load = os.getloadavg()[0]
    began = time.perf_counter()
    command = [sys.executable, "-m", "unblur", "restore", photo, "-o", out, "--overwrite", "--method", method]
    command += options
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{photo} failed")
    seconds = time.perf_counter() - began
    return Run(name, seconds, usage.ru_utime + usage.ru_stime, _mebibytes(usage), load)


def _mebibytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _medians(runs: list[Run]) -> dict[str, dict[str, float | bool]]:
    answer: dict[str, dict[str, float | bool]] = {}
    for name, (seconds, memory) in _BARS.items():
        own = [run for run in runs if run.photo == name]
        middle = {key: round(median(getattr(run, key) for run in own), 1) for key in list(asdict(own[0]))[1:]}
        passed = middle["seconds"] <= seconds and middle["peak_mb"] <= memory
        answer[name] = {**middle, "bar_seconds": seconds, "bar_peak_mb": memory, "passed": passed}
    return answer


def _store(out: Path, runs: list[Run], summary: dict[str, object]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with (out / "runs.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Run)], lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(run) for run in runs)
    (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
