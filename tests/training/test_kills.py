"""Runs that are killed, interrupted or started twice, against one that nobody disturbs."""

import itertools
import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch

from training_processes import end_of, is_gone, kill, logged, start, wait_for
from unblur.training.checkpoints import list_checkpoints, read_training
from unblur.weights.checkpoint import read_checkpoint

LONG = {
    "data": {"workers": 2},
    "run": {"save_every": 7, "validate_every": 10, "pictures_every": 30},
}


@pytest.fixture
def command(runs):
    """Starts the command on the long recipe."""
    recipe = runs.recipe(**LONG)

    def start_in(out: str, steps: int = 40):
        words = ["train", str(recipe), "--out", str(runs.folder / out), f"--trainer.max_steps={steps}"]
        return start(words, runs.folder / f"{out}.log")

    return start_in


def assert_equal_runs(runs, one: str, other: str) -> None:
    """Weights, average, optimiser, counters, logs and export."""
    first, second = (read_training(list_checkpoints(runs.file("checkpoints", out))[0]) for out in (one, other))
    for part in ("state_dict", "optimizer_states", "global_step", "loops"):
        assert differing(first[part], second[part], part) == []
    for name in ("Validation", "BadPhotos"):
        assert [value for key, value in first["callbacks"].items() if key.startswith(name)] == [
            value for key, value in second["callbacks"].items() if key.startswith(name)
        ]
    for name in ("log.csv", "scores.csv"):
        assert runs.file(name, one).read_bytes() == runs.file(name, other).read_bytes()
    weights = [dict(read_checkpoint(runs.file("tiny.safetensors", out)).tensors) for out in (one, other)]
    assert differing(*weights, "export") == []


def differing(one, other, where: str) -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [found for key in one for found in differing(one[key], other[key], f"{where}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            found
            for number, pair in enumerate(zip(one, other, strict=True))
            for found in differing(*pair, f"{where}.{number}")
        ]
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [where]
    return [] if one == other else [f"{where}: {one} and {other}"]


def has_ended(process) -> bool:
    """Whether its workers, who look for it now and then, have ended too."""
    deadline = time.monotonic() + 60
    while not is_gone(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_gone(process)


def kill_at_random(runs, command, kills: int, *, window: int, numbers=(signal.SIGKILL,)) -> None:
    """End a run so often, each time up to `window` steps after the last checkpoint, then let it go on to its end.

    Signals are taken in turn.
    """
    chance, steps = random.Random(kills), 20 + 4 * kills
    table, reached = runs.file("log.csv", "killed"), 0
    for count, number in zip(range(kills), itertools.cycle(numbers)):
        goal = min(steps - 2, reached + chance.randint(1, window))
        before = written(table)
        process = command("killed", steps)
        has_come = lambda goal=goal, before=before: written(table) != before and logged(table) >= goal  # noqa: E731
        assert wait_for(has_come, process), (runs.folder / "killed.log").read_text()
        expected = -number if number == signal.SIGKILL else 128 + number
        assert kill(process, number) == expected, f"kill {count}"
        assert has_ended(process)
        reached = max((int(path.stem[5:]) for path in list_checkpoints(runs.file("checkpoints", "killed"))), default=0)
    assert end_of(command("killed", steps)) == 0
    assert end_of(command("whole", steps)) == 0


def written(table) -> int:
    """When the table was last changed; a run that goes on cuts it first."""
    return table.stat().st_mtime_ns if table.exists() else 0


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_killed_runs_end_as_if_nothing_had_happened(runs, command):
    kill_at_random(runs, command, 20, window=14)
    assert_equal_runs(runs, "whole", "killed")


@pytest.mark.timeout(400)
def test_a_run_that_was_killed_and_stopped_ends_as_if_nothing_had_happened(runs, command):
    kill_at_random(runs, command, 2, window=9, numbers=(signal.SIGKILL, signal.SIGTERM))
    said = (runs.folder / "killed.log").read_text()
    assert re.search(r"stopped after step \d+", said)
    assert "Traceback" not in said
    assert_equal_runs(runs, "whole", "killed")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_interrupted_runs_save_say_so_and_go_on(runs, command):
    count = 10
    kill_at_random(runs, command, count, window=3, numbers=(signal.SIGINT, signal.SIGTERM))
    said = (runs.folder / "killed.log").read_text()
    stops = [int(step) for step in re.findall(r"stopped after step (\d+)", said)]
    assert len(stops) == count
    assert re.findall(r"continuing from step-0*(\d+)\.ckpt", said) == [str(step) for step in stops]
    assert "Traceback" not in said
    assert_equal_runs(runs, "whole", "killed")


def test_a_second_run_in_the_folder_is_refused_and_a_dead_one_is_no_obstacle(runs, command):
    first = command("run", 20)
    assert wait_for(lambda: logged(runs.file("log.csv")) >= 2, first)
    os.kill(first.pid, signal.SIGSTOP)  # so that it does not end meanwhile
    assert end_of(command("run", 20)) == 2
    said = (runs.folder / "run.log").read_text()
    assert f"another run is writing into this folder (process {first.pid} on " in said
    assert kill(first) == -signal.SIGKILL
    assert end_of(command("run", 20)) == 0


def test_the_folder_of_another_machine_is_taken_with_force_alone(runs, command):
    folder = runs.folder / "run"
    folder.mkdir()
    (folder / "lock").write_text('{"pid": 1, "host": "elsewhere"}')
    assert end_of(command("run")) == 2
    assert "the folder belongs to process 1 on elsewhere" in (runs.folder / "run.log").read_text()
    runs.start(force=True)


WRITES = {"write": 7, "fsync": 7, "rename": 6}
"""Calls of the writing kind, and at how many moments each kills a run."""


@pytest.fixture
def traced(runs):
    """Runs of six steps under strace; gives the exit code and the calls of the main thread."""
    recipe = runs.recipe(trainer={"max_steps": 6}, run={"save_every": 2, "validate_every": 3, "pictures_every": 6})

    def run_traced(out: str, *options: str) -> tuple[int, list[str]]:
        trace = runs.folder / f"{out}.trace"
        words = ["train", str(recipe), "--out", str(runs.folder / out)]
        process = start(words, runs.folder / f"{out}.log", stopped=True)
        assert wait_for(lambda: "State:\tT" in status(process.pid), process)
        strace = subprocess.Popen(["strace", "-f", "-qq", "-o", trace, *options, "-p", str(process.pid)])
        assert wait_for(lambda: "State:\tt" in status(process.pid), process)
        os.kill(process.pid, signal.SIGCONT)
        code = end_of(process)
        strace.wait()
        lines = trace.read_text().splitlines()
        return code, [line for line in lines if line.startswith(f"{process.pid} ")]

    return run_traced


def status(pid: int) -> str:
    return (Path("/proc") / str(pid) / "status").read_text(encoding="ascii")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_killed_while_saving_there_is_always_a_checkpoint_to_go_on_from(runs, traced):
    """Kills at 20 calls, spread over those of a run."""
    code, calls = traced("whole", "-e", f"trace={','.join(WRITES)}")
    assert code == 0
    for name, moments in WRITES.items():
        count = sum(f" {name}(" in line for line in calls)
        assert count >= moments
        for when in (1 + (count - 1) * moment // (moments - 1) for moment in range(moments)):
            out = f"{name}-{when}"
            assert (
                traced(out, "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={when}")[0] == -signal.SIGKILL
            )
            assert traced(out, "-e", "trace=none")[0] == 0, (runs.folder / f"{out}.log").read_text()
            assert_equal_runs(runs, "whole", out)
