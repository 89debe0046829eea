"""`--resume`: what is finished is recognised, whatever happened to it or before, and nothing else is taken for it."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FREE = ("--method", "input")
STEPPED = ("--method", "slow-input", "--set", "steps=20", "--set", "nap=0.01")

KILLED = """
import os, signal, sys
from unblur.cli.main import main

def lethal(call):
    def count(*words, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*words, **named)
    return count

photo, folder = sys.argv[1:]
at, status = 0, signal.SIGKILL
while status == signal.SIGKILL:
    at += 1
    child = os.fork()
    if child == 0:
        left = at
        for name in ("open", "write", "fsync", "link", "replace", "unlink", "setxattr", "mkdir"):
            setattr(os, name, lethal(getattr(os, name)))
        os._exit(main(["restore", photo, "-o", f"{folder}/out{at}/", "--method", "input"]))
    status = os.waitpid(child, 0)[1]
print(at, status)
"""
"""Runs that are killed before the first, second, ... call that changes a file, until one lives."""

CHANGES = "write,fsync,link,unlink,rename,setxattr,mkdir,openat"
"""Calls of the system through which a run changes files."""


@pytest.fixture
def photos(tmp_path, make_photo) -> Path:
    for number in range(3):
        make_photo(f"in/{number}.png", seed=number)
    return tmp_path


def last_line(ran) -> str:
    return ran.err.splitlines()[-1]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def assert_whole(made: Path, given: Path) -> None:
    """Every photo has its output, with the pixels it must have, and there is nothing else."""
    assert {path.name for path in made.iterdir()} == {path.name for path in given.iterdir()}
    for path in given.iterdir():
        assert np.array_equal(pixels(made / path.name), pixels(path))


def states(folder: Path) -> dict[str, tuple[int, int]]:
    """What tells whether a file was written again."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.glob("*.png")}


def test_killed_before_every_call_that_changes_a_file(photos, run):
    """Each moment at which a run can die: the next one goes on, and then there is nothing left to do."""
    command = [sys.executable, "-c", KILLED, photos / "in/0.png", photos]
    runs, status = map(int, subprocess.check_output(command, stderr=subprocess.DEVNULL, timeout=250).split())
    assert (runs > 8, status) == (True, 0)
    for number in range(1, runs + 1):
        out = photos / f"out{number}"
        before = states(out)
        words = ["restore", photos / "in/0.png", "-o", f"{out}/", "--resume", *FREE]
        first, second = run(*words), run(*words)
        assert (first.code, second.code) == (0, 0), first.err + second.err
        assert last_line(second) == "0 done, 1 skipped, 0 failed"
        assert np.array_equal(pixels(out / "0.png"), pixels(photos / "in/0.png"))
        assert [path.name for path in out.iterdir()] == ["0.png"], f"left after kill {number}"
        assert states(out).items() >= before.items(), "a finished file was done again"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace")
def test_killed_by_the_system_60_times(tmp_path, make_photo, run):
    """At calls spread over all that the whole program, with its decoder, does from the first output on."""
    for number in range(6):
        make_photo(f"in/{number}.png", seed=number)
    out, trace = tmp_path / "out", tmp_path / "trace"
    words = ["restore", str(tmp_path / "in"), "-o", str(out), *FREE]
    assert traced(trace, f"trace={CHANGES}", words) == 0
    moments = moments_of(trace, out)
    assert len(moments) > 60
    for number in range(60):
        call, count = moments[number * len(moments) // 60]
        shutil.rmtree(out)
        assert traced(trace, f"inject={call}:signal=KILL:when={count}", words) != 0
        before = states(out)
        first, second = run(*words, "--resume"), run(*words, "--resume")
        assert (first.code, second.code, last_line(second)) == (0, 0, "0 done, 6 skipped, 0 failed"), (call, count)
        assert_whole(out, tmp_path / "in")
        assert states(out).items() >= before.items()
        out.mkdir(exist_ok=True)


def traced(trace: Path, expression: str, words: list[str]) -> int:
    """Exit status of the program under strace."""
    command = ["strace", "-f", "-o", trace, "-e", expression, sys.executable, "-m", "unblur", *words]
    return subprocess.run(command, capture_output=True, check=False).returncode


def moments_of(trace: Path, out: Path) -> list[tuple[str, int]]:
    """Calls of the main process from the first that names the outputs on, and which of their kind each one is."""
    lines = [line.split(maxsplit=1) for line in trace.read_text(errors="replace").splitlines()]
    main = [text.partition("(") for process, text in lines if process == lines[0][0]]
    counts, moments = Counter[str](), list[tuple[str, int]]()
    for call, is_call, words in main:
        if is_call:
            counts[call] += 1
            if moments or str(out) in words:
                moments.append((call, counts[call]))
    return moments


@pytest.mark.slow
def test_killed_at_random_30_times(tmp_path, make_photo, run):
    for number in range(12):
        make_photo(f"in/{number}.png", seed=number)
    draw = random.Random(0)
    words = ["restore", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *STEPPED]
    for _ in range(30):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        running = subprocess.Popen([sys.executable, "-m", "unblur", *words, "-j", "2"], stderr=subprocess.DEVNULL)
        time.sleep(draw.uniform(0.5, 4))
        running.kill()
        running.wait()
        time.sleep(1)  # the workers notice, and end
        before = states(tmp_path / "out")
        first, second = run(*words, "--resume"), run(*words, "--resume")
        assert (first.code, second.code, last_line(second)) == (0, 0, "0 done, 12 skipped, 0 failed")
        assert_whole(tmp_path / "out", tmp_path / "in")
        assert states(tmp_path / "out").items() >= before.items()


@pytest.mark.parametrize("state", ["missing", "unwritable", "a file"])
def test_no_other_folder_is_needed(photos, run, monkeypatch, state):
    place = photos / "state"
    if state == "a file":
        place.write_text("in the way")
    elif state == "unwritable":
        place.mkdir(mode=0o555)
    monkeypatch.setenv("XDG_STATE_HOME", str(place))
    monkeypatch.setenv("HOME", str(place))
    words = ("restore", photos / "in", "-o", photos / "out", "--resume", *FREE)
    assert last_line(run(*words)) == "3 done, 0 skipped, 0 failed"
    assert last_line(run(*words)) == "0 done, 3 skipped, 0 failed"


def test_folders_that_were_moved_and_renamed(photos, run):
    assert run("restore", photos / "in", "-o", photos / "out", *FREE).code == 0
    shutil.move(photos / "out", photos / "elsewhere")
    (photos / "in").rename(photos / "given")
    ran = run("restore", photos / "given", "-o", photos / "elsewhere", "--resume", *FREE)
    assert last_line(ran) == "0 done, 3 skipped, 0 failed"


def test_an_input_that_was_only_touched_is_the_same(photos, run):
    words = ("restore", photos / "in", "-o", photos / "out", *FREE)
    assert run(*words).code == 0
    os.utime(photos / "in/1.png", (1, 1))
    shutil.copy(photos / "in/1.png", photos / "in/0.png")
    assert last_line(run(*words, "--resume")) == "1 done, 2 skipped, 0 failed"


def test_a_lost_note_costs_one_more_time(photos, run):
    """As after `cp` without attributes: the same bytes come out, so the file is taken for finished."""
    words = ("restore", photos / "in", "-o", photos / "out", *FREE)
    assert run(*words).code == 0
    for path in (photos / "out").iterdir():
        os.removexattr(path, "user.unblur")
    before = states(photos / "out")
    assert last_line(run(*words, "--resume")) == "3 done, 0 skipped, 0 failed"
    assert last_line(run(*words, "--resume")) == "0 done, 3 skipped, 0 failed"
    assert states(photos / "out") == before
    assert last_line(run(*words)) == "0 done, 0 skipped, 3 failed"


def test_without_attributes_there_is_a_journal(photos, run, monkeypatch):
    def refuse(*words: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    words = ("restore", photos / "in", "-o", photos / "out", *FREE)
    assert run(*words).code == 0
    assert (photos / "out/.unblur.jsonl").exists()
    with (photos / "out/.unblur.jsonl").open("ab") as journal:
        journal.write(b'{"name": "2.png", "cut sho')
    make_other(photos / "in/2.png")
    assert last_line(run(*words, "--resume")) == "1 done, 2 skipped, 0 failed"
    assert last_line(run(*words, "--resume")) == "0 done, 3 skipped, 0 failed"


def make_other(path: Path) -> None:
    Image.new("RGB", (48, 32), "red").save(path)


def test_what_somebody_else_made_is_kept(photos, run):
    """A photo of that name that was there before, an output edited in place, one replaced by a link."""
    (photos / "out").mkdir()
    make_other(photos / "out/0.png")
    words = ("restore", photos / "in", "-o", photos / "out", *FREE)
    assert run(*words).code == 1
    with (photos / "out/1.png").open("ab") as file:
        file.write(b"signed")
    (photos / "out/2.png").unlink()
    (photos / "out/2.png").symlink_to(photos / "out/1.png")
    before = {path.name: path.read_bytes() for path in (photos / "out").iterdir()}
    ran = run(*words, "--resume")
    assert (ran.code, last_line(ran)) == (1, "0 done, 0 skipped, 3 failed")
    assert "is not what would be made now" in ran.errors[0]
    assert "was changed after unblur made it" in ran.errors[1]
    assert {path.name: path.read_bytes() for path in (photos / "out").iterdir()} == before


def test_other_options_replace_the_outputs_and_what_is_beside_them(photos, run):
    words = ("restore", photos / "in", "-o", photos / "out", *FREE)
    assert run(*words).code == 0
    changed = run(*words, "--resume", "--strength", "0.5")
    assert last_line(changed) == "3 done, 0 skipped, 0 failed"
    assert "3 restored before with other options" in changed.err


def test_more_to_save_is_not_passed_over(photos, run):
    words = ("restore", photos / "in", "-o", photos / "out", "--resume", *FREE)
    assert run(*words).code == 0
    with_kernel = (*words, "--save-kernel", f"{photos}/kernels/")
    assert last_line(run(*with_kernel)) == "3 done, 0 skipped, 0 failed"
    assert last_line(run(*with_kernel)) == "0 done, 3 skipped, 0 failed"
    assert last_line(run(*words)) == "0 done, 3 skipped, 0 failed"


@pytest.mark.slow
def test_four_runs_into_one_folder(tmp_path, make_photo):
    for number in range(30):
        make_photo(f"in/{number}.png", seed=number)
    command = [sys.executable, "-m", "unblur", "restore", tmp_path / "in", "-o", tmp_path / "out", *FREE]
    for _ in range(10):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        runs = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
        errors = [run.communicate(timeout=120)[1] for run in runs]
        assert all("exists already" in line for text in errors for line in text.splitlines() if "error: " in line)
        assert sum(int(text.splitlines()[-1].split()[0]) for text in errors) == 30
        assert_whole(tmp_path / "out", tmp_path / "in")
