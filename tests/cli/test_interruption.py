"""SIGINT and SIGTERM at any moment: the right exit code, no traceback, nothing left behind."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from unblur.cli.main import main
from unblur.system.signals import Interrupted, catch_signals, check_interrupted, shielded

WORDS = ["--method", "slow-input", "--set", "steps=20", "--set", "nap=0.01"]


def interrupt(command: list[str], number: int, seconds: float) -> tuple[int, str]:
    """Exit code and last words of a run that gets a signal after so long."""
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdout.read(1) == "."
    time.sleep(seconds)
    running.send_signal(number)
    _, errors = running.communicate(timeout=30)
    return running.returncode, errors


PROGRAM = """
import _signal, sys, unblur.__main__
original, waited_for = _signal.signal, int(sys.argv.pop(1))
def set_handler(number, handler):
    before = original(number, handler)
    if number == waited_for and handler is unblur.__main__._quit:
        print(end=".", flush=True)
    return before
_signal.signal = set_handler
sys.exit(unblur.__main__.main())
"""
"""Prints a full stop when it listens to a signal."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_first_second(make_photo, tmp_path, number):
    """While the interpreter loads commands and libraries: no traceback, no death by the signal itself."""
    for index in range(4):
        make_photo(f"in/{index}.png")
    draw = random.Random(number)
    command = [sys.executable, "-c", PROGRAM, str(int(number)), "restore", str(tmp_path / "in"), "--overwrite", *WORDS]
    for _ in range(4):
        code, errors = interrupt(command, number, draw.uniform(0, 1))
        assert code == 128 + number, errors
        assert "Traceback" not in errors
        assert errors == "" or errors.splitlines()[-1].endswith("failed")
    assert not list((tmp_path / "in").glob(".unblur-*"))


def test_little_is_loaded_before_the_program_listens():
    """Until then Python answers Ctrl-C with a traceback."""
    program = "import os, sys; before = set(sys.modules); import unblur.__main__; print(*set(sys.modules) - before)"
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    # -S: `site` loads what it likes
    loaded = subprocess.check_output([sys.executable, "-S", "-c", program], env=environment, text=True).split()
    assert set(loaded) == {"unblur", "unblur.__main__", "__future__"}


ENDING = """
import atexit, sys, threading, time, unblur.__main__, unblur.cli.main
class Heavy:
    def __del__(self): print("taken apart")
sys.kept = Heavy()
def work(words=None):
    atexit.register(print, "at exit")
    threading.Thread(target=lambda: (time.sleep(0.2), print("thread ended"))).start()
    print("worked", end=", ")
    if sys.argv[1] == "error": raise RuntimeError("of the program")
    return int(sys.argv[1])
unblur.cli.main.main = work
sys.exit(unblur.__main__.main())
"""
"""A program whose work leaves a thread, a function to call at the end, text in a buffer, and an object."""


@pytest.mark.parametrize("code", ["0", "130", "error"])
def test_the_process_ends_without_taking_its_objects_apart(code):
    ended = subprocess.run([sys.executable, "-c", ENDING, code], capture_output=True, text=True, check=False)
    assert ended.stdout.startswith("worked, thread ended\nat exit\n")
    if code == "error":
        assert (ended.returncode, "RuntimeError: of the program" in ended.stderr) == (1, True)
    else:
        assert (ended.returncode, ended.stdout.splitlines()[2:], ended.stderr) == (int(code), [], "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_other_commands(monkeypatch, number):
    def interrupt(*words: object) -> None:
        os.kill(os.getpid(), number)
        time.sleep(1)

    monkeypatch.setattr("unblur.cli.methods.list_entries", interrupt)
    before = signal.getsignal(number)
    assert main(["methods"]) == 128 + number
    assert signal.getsignal(number) is before


def test_an_interruption_that_python_cannot_pass_on(capsys):
    """As in a callback of the import system: it is not lost, and no traceback is shown."""

    class Last:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.1)

    reached = []

    def work() -> None:
        with catch_signals(signal.SIGTERM):
            Last()
            reached.append("went on")
            check_interrupted()
            reached.append("too far")

    with pytest.raises(Interrupted):
        work()
    assert reached == ["went on"]
    assert capsys.readouterr().err == ""


def test_a_signal_waits_for_a_file_that_is_being_written():
    done = []

    def work() -> None:
        with catch_signals(signal.SIGTERM), shielded():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("written")

    with pytest.raises(Interrupted) as caught:
        work()
    assert (done, caught.value.exit_code) == (["written"], 143)
