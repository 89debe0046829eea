"""What a lost machine costs: many small photos in a Ray cluster of three nodes on this machine, one of them killed.

    python speed/cluster.py PHOTO.jpg --out results/DATE-speed-cluster

Parts of PHOTO, blurred by a straight motion, are restored here with two processes, then on two nodes, then on three of
which one is killed after a tenth of the photos. Every output is compared with that of the run here. The nodes share the
processor of this machine, so on two cores the third one adds nothing that its loss could take away: the ratio of the
two times is what the loss itself costs, with noticing it and starting anew.
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
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from PIL import Image

from unblur.system.facts import run_facts

_BAR = 1.3
"""Times that the run with a lost node may take of the undisturbed one on two."""
_MOTION = 7
_OPTIONS = ("--kernel-size", "9", "--quiet")
_MEMORY = 80 << 20


@dataclass(frozen=True)
class Run:
    """One command: wall seconds, from the first photo that was ready to the last, and load at its start.

    Processor seconds are those of the run here, with its workers; Ray's processes are not children of the command.
    """

    run: str
    seconds: float
    working_seconds: float
    processor_seconds: float | None
    load: float
    photos: int
    twice: int
    different: int


def main() -> None:
    """Measure, print and store."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("photo", type=Path)
    words.add_argument("--photos", type=int, default=200)
    words.add_argument("--side", type=int, default=80, help="height and width of the parts in pixels")
    words.add_argument("--method", default="map")
    words.add_argument("--out", type=Path, help="folder for runs.csv and summary.json")
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _cut(given.photo, folder / "in", given.photos, given.side)
        runs = [
            _here(folder, given.method),
            _in_cluster(folder, given.method, nodes=2, lost=0),
            _in_cluster(folder, given.method, nodes=3, lost=1),
        ]
    ratio = runs[2].seconds / runs[1].seconds
    summary = {
        "suite": "speed",
        "method": given.method,
        **run_facts(),
        "side": given.side,
        "ratio": round(ratio, 3),
        "bar_ratio": _BAR,
        "passed": ratio <= _BAR and not any(run.twice or run.different for run in runs),
    }
    print(json.dumps([*map(asdict, runs), summary], indent=2))
    if given.out:
        given.out.mkdir(parents=True)
        with (given.out / "runs.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, [item.name for item in fields(Run)])
            table.writeheader()
            table.writerows(map(asdict, runs))
        (given.out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")


def _cut(photo: Path, folder: Path, count: int, side: int) -> None:
    """Parts of a photo at random places, the mean of seven neighbours in each row."""
    folder.mkdir()
    pixels = np.asarray(Image.open(photo).convert("RGB"), dtype=np.float32)
    random = np.random.default_rng(0)
    for number in range(count):
        top = random.integers(pixels.shape[0] - side)
        left = random.integers(pixels.shape[1] - side - _MOTION)
        part = pixels[top : top + side, left : left + side + _MOTION]
        blurry = np.mean([part[:, shift : shift + side] for shift in range(_MOTION)], axis=0)
        Image.fromarray(np.round(blurry).astype(np.uint8)).save(folder / f"{number:04}.png")


def _here(folder: Path, method: str) -> Run:
    return _measure(folder, "here", method, ["--jobs", "2"])


def _in_cluster(folder: Path, method: str, *, nodes: int, lost: int) -> Run:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - after the variable is set

    head = {"num_cpus": 0, "object_store_memory": _MEMORY, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        started = [cluster.add_node(num_cpus=1, object_store_memory=_MEMORY) for _ in range(nodes)]

        def lose() -> None:
            for node in started[:lost]:
                cluster.remove_node(node, allow_graceful=False)

        name = f"{nodes} nodes, {lost} lost"
        return _measure(folder, name, method, ["--engine", "ray", "--address", str(cluster.address)], lose)
    finally:
        cluster.shutdown()


def _measure(folder: Path, name: str, method: str, words: list[str], lose: Callable[[], None] = lambda: None) -> Run:
    target, report = folder / name, folder / f"{name}.jsonl"
    command = [sys.executable, "-m", "unblur", "restore", folder / "in", "-o", target, "--method", method, *_OPTIONS]
    count, load, used = len(list((folder / "in").iterdir())), os.getloadavg()[0], _used()
    began = time.perf_counter()
    with subprocess.Popen([*command, "--report", report, *words]) as process:  # noqa: S603 - fixed words
        first = _wait_for(report, 1, process)
        _wait_for(report, count // 10, process)
        lose()
        process.wait()
    ended = time.perf_counter()
    rows = [json.loads(line)["output"] for line in report.read_text().splitlines()]
    different = sum(
        not (target / path.name).is_file() or (target / path.name).read_bytes() != path.read_bytes()
        for path in (folder / "here").iterdir()
    )
    processor = round(_used() - used, 1) if name == "here" else None
    repeated = len(rows) - len(set(rows))
    seconds, working = round(ended - began, 1), round(ended - first, 1)
    return Run(name, seconds, working, processor, round(load, 1), len(rows), repeated, different)


def _used() -> float:
    """Processor seconds of all children that have ended, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _wait_for(report: Path, lines: int, process: subprocess.Popen[bytes]) -> float:
    """When the report has so many lines."""
    while process.poll() is None and not (report.exists() and report.read_bytes().count(b"\n") >= lines):
        time.sleep(0.2)
    return time.perf_counter()


if __name__ == "__main__":
    main()
