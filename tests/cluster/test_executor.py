"""Photos restored in a Ray cluster: the same files, notes and report as here, also when a machine is lost."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ray_cluster import ray_cluster
from store_server import serve_store
from unblur.batch.executors import LocalExecutor
from unblur.batch.options import BatchOptions
from unblur.batch.plan import make_plan
from unblur.batch.run import resume_plan, run_plan
from unblur.cli.restore import settle_engine
from unblur.cluster.executor import RayExecutor, restore_elsewhere
from unblur.system.file_notes import read_note
from unblur.system.stores import Address

COPY = BatchOptions(method="input")
COPYING = ("--method", "input")
SLOW = ("--method", "slow-input", "--set", "steps=40", "--set", "nap=0.02")


@pytest.fixture
def folder(tmp_path, make_photo) -> Path:
    for number in range(4):
        make_photo(f"in/{number}.png", seed=number)
    return tmp_path


@pytest.fixture
def job(folder):
    return make_plan([str(folder / "in/0.png")], output=f"{folder}/out/").jobs[0]


def restore(job, options, fingerprint=COPY.fingerprint):
    return restore_elsewhere((options, fingerprint), job, lambda step: None)


def test_a_second_attempt_in_one_run_finds_what_the_first_one_wrote(job):
    run = replace(COPY, run="a")
    assert restore(job, run).status == "done"
    written = job.output.stat().st_ino
    again = restore(job, run)
    assert (again.status, job.output.stat().st_ino) == ("done", written)
    assert "before its machine was lost" in again.warnings[0]
    assert "exists already" in restore(job, replace(COPY, run="b")).error


def test_a_second_attempt_replaces_what_the_first_one_left_unfinished(job):
    run = replace(COPY, method="known-kernel")
    job = replace(job, kernel=job.output.with_name("kernel.png"))
    options = replace(run, run="a", restore=replace(COPY.restore, kernel=np.ones((1, 1))))
    assert restore(job, options, options.fingerprint).error == ""
    job.output.unlink()  # the kernel is written before the photo
    assert restore(job, replace(options, run="b"), options.fingerprint).fault == "name"
    assert restore(job, options, options.fingerprint).status == "done"
    assert job.output.exists()


def test_what_a_run_wrote_and_somebody_changed_is_not_taken_for_its_own(job):
    run = replace(COPY, run="a")
    restore(job, run)
    job.output.write_bytes(b"changed")
    assert "exists already" in restore(job, run).error
    assert job.output.read_bytes() == b"changed"


def test_the_run_changes_nothing_that_resume_asks_for(folder):
    plan = make_plan([str(folder / "in")], output=str(folder / "out"))
    for job in plan.jobs:
        restore(job, replace(COPY, run="a"))
    assert len(resume_plan(plan, COPY).skipped) == 4


def test_a_machine_that_would_make_something_else_restores_nothing(job):
    outcome = restore(job, COPY, "of another version")
    assert (outcome.status, outcome.fault) == ("failed", "usage")
    assert "another version of unblur, or other weights" in outcome.error
    assert not job.output.exists()


def test_no_photos_need_no_cluster():
    assert list(RayExecutor("nowhere:1").run([], COPY, lambda job, step: None)) == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--address", "auto"], "--address is that of a Ray cluster"),
        (["--engine", "ray", "--in-place"], "--in-place could restore a photo twice"),
        (["--engine=ray", "--watch"], "--watch restores on this machine alone"),
        (["--engine", "many"], "'many' is not one of 'torch', 'onnx'"),
    ],
)
def test_what_does_not_go_together(run, folder, words, reason):
    ran = run("restore", folder / "in", "--method", "input", *words)
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert reason in ran.errors[0]


def test_engine_local_is_what_happens_anyway(run, folder):
    words = ("restore", folder / "in", "--method", "input", "--engine", "local", "--engine", "torch", "-j", 2)
    assert run(*words, "-o", folder / "out").code == 0
    assert len(list((folder / "out").iterdir())) == 4


def test_engine_names_a_place_or_what_computes():
    assert settle_engine(["ray", "--engine", "ray", "--engine=onnx", "-q"]) == [
        "ray",
        "--executor=ray",
        "--engine=onnx",
        "-q",
    ]
    assert settle_engine(["--", "--engine", "ray"]) == ["--", "--engine", "ray"]
    assert settle_engine(["--engine"]) == ["--engine="]


def restore_on(address: str, source: Path, target: Path, *words: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "unblur", "restore", source, "-o", target, "--engine", "ray", "--address", address]
    command += ["--report", f"{target}.jsonl", *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def rows_of(target: Path) -> list[dict]:
    report = Path(f"{target}.jsonl")
    return [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Ray, about itself
def test_a_cluster_that_loses_a_machine_restores_each_photo_once(tmp_path, make_photo):
    for number in range(40):
        make_photo(f"in/{number:02}.png", seed=number)
    source, target = tmp_path / "in", tmp_path / "ray"
    options = BatchOptions(method="slow-input", settings={"steps": 40, "nap": 0.02})
    here = list(run_plan(make_plan([str(source)], output=str(tmp_path / "here")), options, executor=LocalExecutor(2)))
    with ray_cluster(3) as (cluster, nodes):
        running = restore_on(cluster.address, source, target, *SLOW)
        while len(rows_of(target)) < 9 and running.poll() is None:
            time.sleep(0.2)
        cluster.remove_node(nodes[1], allow_graceful=False)
        _, errors = running.communicate(timeout=200)
        again = restore_on(cluster.address, source, target, *SLOW, "--resume")
        _, errors_again = again.communicate(timeout=100)
    assert running.returncode == 0, errors
    assert again.returncode == 0, errors_again
    assert "0 done, 40 skipped, 0 failed" in errors_again
    rows = rows_of(target)[:40]
    assert sorted(row["input"] for row in rows) == sorted(str(outcome.input) for outcome in here)
    assert {row["status"] for row in rows} == {"done"}
    assert rows[0].keys() == rows_of(target)[-1].keys()
    assert sorted(path.name for path in target.iterdir()) == sorted(path.name for path in source.iterdir())
    for path in target.iterdir():
        assert path.read_bytes() == (tmp_path / "here" / path.name).read_bytes()
        assert read_note(path).values["options"] == options.fingerprint


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_photos_in_a_store_by_a_cluster_while_the_store_fails(tmp_path, make_photo, monkeypatch):
    with serve_store() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)  # before the nodes start, which pass it on
        for number in range(6):
            photo = make_photo(f"in/{number}.png", seed=number)
            Address.parse(f"s3://bucket/in/{number}.png").write(photo.read_bytes())
        here = subprocess.run(
            [sys.executable, "-m", "unblur", "restore", tmp_path / "in", "-o", tmp_path / "here", *COPYING],
            check=False,
        )
        server.matching, server.faults = r"(GET|PUT) /bucket/(in|out)/\d", [500, None, "cut", 503, None, "lost", 500]
        with ray_cluster(2) as (cluster, _):
            words = [
                "s3://bucket/in",
                "-o",
                "s3://bucket/out/",
                *COPYING,
                "--engine",
                "ray",
                "--address",
                cluster.address,
            ]
            command = [sys.executable, "-m", "unblur", "restore", *words]
            first = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True, timeout=200)
            requests = len(server.requests)
            again = subprocess.run([*command, "--resume"], check=False, stderr=subprocess.PIPE, text=True, timeout=200)
        assert (here.returncode, first.returncode) == (0, 0), first.stderr
        assert not server.faults
        assert "0 done, 6 skipped, 0 failed" in again.stderr
        assert len(server.requests) - requests <= 6 * 5 + 10
        for path in (tmp_path / "here").iterdir():
            assert Address.parse(f"s3://bucket/out/{path.name}").read_bytes() == path.read_bytes()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_signal_ends_the_run(tmp_path, make_photo):
    for number in range(20):
        make_photo(f"in/{number:02}.png", seed=number)
    with ray_cluster(1) as (cluster, _):
        running = restore_on(cluster.address, tmp_path / "in", tmp_path / "out", *SLOW)
        while not rows_of(tmp_path / "out") and running.poll() is None:
            time.sleep(0.2)
        running.terminate()
        _, errors = running.communicate(timeout=60)
    assert running.returncode == 143, errors
    assert errors.splitlines()[-1].endswith("0 failed")
    assert not list((tmp_path / "out").glob(".unblur-*"))
