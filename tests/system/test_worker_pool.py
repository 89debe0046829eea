"""Tasks in worker processes."""

import os
import time
from pathlib import Path

import pytest

from unblur.system.worker_pool import run_in_workers

FUNCTIONS = """
import os, signal, time

def square(setup, task, send):
    send("begun")
    if task == setup:
        os.kill(os.getpid(), signal.SIGKILL)
    return task * task, os.getpid(), os.environ["OMP_NUM_THREADS"]

def fail(setup, task, send):
    raise SystemExit(3)

def sleep(setup, task, send):
    send(os.getpid())
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def functions(tmp_path, monkeypatch) -> None:
    (tmp_path / "pool_functions.py").write_text(FUNCTIONS)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")


def run(tasks: list[int], name: str, setup: object = None, count: int = 2, on_message=lambda *words: None):
    options = {"count": count, "threads": 3, "on_message": on_message, "on_death": lambda task, how: (task, how)}
    return run_in_workers(tasks, f"pool_functions:{name}", setup, **options)


def test_answers_and_messages():
    messages = []
    answers = list(run([1, 2, 3, 4, 5], "square", on_message=lambda *words: messages.append(words)))
    assert sorted(answer[0] for answer in answers) == [1, 4, 9, 16, 25]
    assert len({answer[1] for answer in answers}) == 2
    assert {answer[2] for answer in answers} == {"3"}
    assert sorted(messages) == [(task, "begun") for task in (1, 2, 3, 4, 5)]
    assert list(run([], "square")) == []


def test_a_death_costs_one_task():
    answers = list(run([1, 2, 3, 4], "square", setup=2))
    assert sorted(answer[0] for answer in answers) == [1, 2, 9, 16]
    assert (2, "SIGKILL") in answers
    assert list(run([1], "fail")) == [(1, "exit code 3")]


def test_leaving_early_ends_the_workers():
    pids: list[int] = []

    def leave(_task: int, pid: int) -> None:
        pids.append(pid)
        if len(pids) == 2:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(run([1, 2], "sleep", on_message=leave))
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_workers_do_not_outlive_their_parent():
    pids: list[int] = []
    reader, writer = os.pipe()
    parent = os.fork()
    if parent == 0:
        list(run([1, 2], "sleep", on_message=lambda _task, pid: os.write(writer, f"{pid}\n".encode())))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        pids = [int(pipe.readline()) for _ in range(2)]
    os.kill(parent, 9)
    os.waitpid(parent, 0)
    deadline = time.monotonic() + 30
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
