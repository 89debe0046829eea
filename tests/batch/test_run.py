"""Plans carried out: here, in workers, again, and against signals."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from living_processes import relatives, workers_of
from unblur.batch.executors import LocalExecutor
from unblur.batch.options import BatchOptions
from unblur.batch.plan import make_plan
from unblur.batch.run import Tally, resume_plan, run_plan
from unblur.methods.options import RestoreOptions

pytestmark = pytest.mark.usefixtures("quick_search")

COPY = BatchOptions(method="input")
SLOW = BatchOptions(method="slow-input", settings={"steps": 40, "nap": 0.02})


@pytest.fixture
def folder(tmp_path, make_photo) -> Path:
    for number in range(4):
        make_photo(f"in/{number}.png", seed=number)
    return tmp_path


def test_same_pixels_whatever_the_number_of_workers(folder):
    for jobs in (1, 2):
        plan = make_plan([str(folder / "in")], output=str(folder / f"out{jobs}"))
        outcomes = list(run_plan(plan, COPY, executor=LocalExecutor(jobs)))
        assert [outcome.status for outcome in outcomes] == ["done"] * 4
    for number in range(4):
        assert (folder / f"out1/{number}.png").read_bytes() == (folder / f"out2/{number}.png").read_bytes()


def test_steps_come_from_workers_too(folder):
    plan = make_plan([str(folder / "in")], output=str(folder / "out"))
    seen = []
    list(
        run_plan(
            plan,
            SLOW,
            executor=LocalExecutor(4),
            on_step=lambda job, step: seen.append((job.input.name, step.fraction)),
        )
    )
    assert {name for name, _ in seen} == {"0.png", "1.png", "2.png", "3.png"}
    fractions = [fraction for name, fraction in seen if name == "0.png"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_a_worker_that_dies_costs_one_photo(folder):
    plan = make_plan([str(folder / "in")], output=str(folder / "out"))
    killed = []

    def kill_one(job, step):
        if not killed:
            killed.append(job)
            os.kill(workers_of(os.getpid())[0], signal.SIGKILL)

    outcomes = list(run_plan(plan, SLOW, executor=LocalExecutor(2), on_step=kill_one))
    assert sorted(outcome.status for outcome in outcomes) == ["done", "done", "done", "failed"]
    (failed,) = [outcome for outcome in outcomes if outcome.status == "failed"]
    assert "SIGKILL" in failed.error
    assert Tally(outcomes).exit_code == 1
    assert workers_of(os.getpid()) == []


def test_leaving_early_ends_the_workers(folder):
    running = run_plan(make_plan([str(folder / "in")], output=str(folder / "out")), SLOW, executor=LocalExecutor(2))
    next(running)
    assert workers_of(os.getpid())
    running.close()
    assert workers_of(os.getpid()) == []
    assert not list((folder / "out").glob(".unblur-*"))


def test_a_full_place_stops_the_batch(folder):
    plan = make_plan([str(folder / "in")], output=str(folder / "out"))
    (folder / "out").write_text("in the way")
    outcomes = list(run_plan(plan, COPY))
    assert [outcome.fault for outcome in outcomes] == ["place"]
    assert Tally(outcomes).exit_code == 2


def test_resume(folder, make_photo):
    def plan():
        return make_plan([str(folder / "in")], output=str(folder / "out"))

    list(run_plan(plan(), COPY))
    (folder / "out/0.png").unlink()
    (folder / "out/1.png").write_text("edited by hand")
    make_photo("in/2.png", seed=9)
    again = resume_plan(plan(), COPY)
    assert [job.input.name for job in again.skipped] == ["3.png"]
    assert again.redone == 1
    outcomes = {outcome.input.name: outcome for outcome in run_plan(again, COPY)}
    assert {name: outcome.status for name, outcome in outcomes.items()} == {
        "0.png": "done",
        "1.png": "failed",
        "2.png": "done",
        "3.png": "skipped",
    }
    assert (folder / "out/1.png").read_text() == "edited by hand"


@pytest.mark.parametrize("changed", [{"strength": 0.5}, {"seed": 1}, {"encoding": "linear"}])
def test_resume_takes_no_old_results_for_new(folder, changed):
    plan = make_plan([str(folder / "in")], output=str(folder / "out"))
    list(run_plan(plan, COPY))
    again = resume_plan(plan, BatchOptions(method="input", restore=RestoreOptions(**changed)))
    assert (len(again.jobs), again.redone, again.skipped) == (4, 4, ())
    assert resume_plan(plan, BatchOptions(method="slow-input")).redone == 4
    assert len(resume_plan(plan, COPY).skipped) == 4


def test_workers_do_not_outlive_a_killed_parent(folder):
    command = [sys.executable, "-m", "unblur.cli.main", "restore", folder / "in", "-o", folder / "out", "-j", "2", "-q"]
    slow = ["--method", "slow-input", "--set", "steps=40", "--set", "nap=0.02", "--report", folder / "report.jsonl"]
    running = subprocess.Popen([*command, *slow], stderr=subprocess.PIPE, text=True, process_group=0)
    wait_for(lambda: (folder / "report.jsonl").exists() and (folder / "report.jsonl").stat().st_size > 0)
    running.kill()
    _, errors = running.communicate(timeout=20)
    wait_for(lambda: not relatives())
    assert "Traceback" not in errors
    assert not list((folder / "out").glob(".unblur-*"))


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals(folder, jobs, number):
    command = [sys.executable, "-m", "unblur.cli.main", "restore", folder / "in", "-o", folder / "out", "-j", str(jobs)]
    slow = ["--method", "slow-input", "--set", "steps=40", "--set", "nap=0.02", "--report", folder / "report.jsonl"]
    running = subprocess.Popen([*command, *slow], stderr=subprocess.PIPE, text=True, process_group=0)
    wait_for(lambda: (folder / "report.jsonl").exists() and (folder / "report.jsonl").stat().st_size > 0)
    # SIGINT as a terminal sends it: to the whole group.
    os.killpg(running.pid, number) if number == signal.SIGINT else running.send_signal(number)
    _, errors = running.communicate(timeout=20)
    assert running.returncode == 128 + number
    assert "Traceback" not in errors
    assert errors.splitlines()[-1].endswith("0 failed")
    assert int(errors.splitlines()[-1].split()[0]) >= 1
    wait_for(lambda: not relatives())
    assert not list((folder / "out").glob(".unblur-*"))
    for path in (folder / "out").iterdir():
        with Image.open(path) as image:
            assert np.asarray(image).shape == (32, 48, 3)


def wait_for(condition, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
