"""`--watch` and `--dry-run`."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from unblur.batch.inputs import Failure
from unblur.batch.plan import Plan, make_plan
from unblur.cli import watching

COPY = ("--method", "input")


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_a_dry_run_says_what_a_run_does_and_writes_nothing(run, make_photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_photo("in/a.png")
    make_photo("in/b/c.png")
    (tmp_path / "in/notes.txt").touch()
    words = ["restore", "in", "-o", "out", "-r", "--save-kernel", "--report", "r.jsonl", "--gallery", "g.html", *COPY]
    before = files_below(tmp_path)
    ran = run(*words, "--dry-run")
    assert ran.code == 0
    assert ran.err.splitlines() == [
        "in/a.png -> out/a.png, out/a.unblur.kernel.png, out/a.unblur.kernel.npy",
        "in/b/c.png -> out/b/c.png, out/b/c.unblur.kernel.png, out/b/c.unblur.kernel.npy",
        "passed over: 1 other file (its name is not that of a photo)",
        "2 to do, 0 to skip, 0 would fail; nothing was written",
    ]
    assert files_below(tmp_path) == before
    assert run(*words).code == 0


def test_a_dry_run_foresees_what_fails_and_what_is_done(run, make_photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_photo("a.png")
    run("a.png", *COPY)
    taken = run("a.png", "missing.png", *COPY, "--dry-run")
    assert taken.code == 1
    assert "unblur: error: a.unblur.png: exists already" in taken.err
    assert "unblur: error: missing.png: does not exist" in taken.err
    assert "0 to do, 1 to skip, 0 would fail" in run("a.png", *COPY, "--resume", "--dry-run").err
    assert "1 to do, 0 to skip, 0 would fail" in run("a.png", *COPY, "--overwrite", "--dry-run").err


@pytest.mark.parametrize("words", [["--overwrite"], ["--dry-run"], ["--gallery", "g.html"], ["--in-place"]])
def test_what_cannot_go_on_for_ever_is_refused(run, make_photo, tmp_path, words):
    make_photo("in/a.png")
    ran = run("restore", tmp_path / "in", "--watch", *words, *COPY)
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert "--watch takes folders" in run("restore", tmp_path / "in/a.png", "--watch", *COPY).errors[0]


class StopError(Exception):
    """Ends the endless loop of a test."""


@pytest.fixture
def looks(monkeypatch) -> Callable[[list[Callable[[], object]]], None]:
    """Lets things happen between the looks at the folders, and ends after the last of them."""

    def between(happenings: list[Callable[[], object]]) -> None:
        coming: Iterator[Callable[[], object]] = iter(happenings)

        def sleep(_: float) -> None:
            happening = next(coming, None)
            if happening is None:
                raise StopError
            happening()

        monkeypatch.setattr(watching.time, "sleep", sleep)

    return between


def test_only_finished_files_are_taken_and_each_once(looks, tmp_path):
    photo, given = tmp_path / "in/a.png", []
    photo.parent.mkdir()
    photo.write_bytes(b"half")
    looks(
        [
            lambda: photo.write_bytes(b"half and more"),  # it grew: not yet
            lambda: None,  # as before: taken
            lambda: None,
            (tmp_path / "in/empty.png").touch,
            lambda: None,  # nothing in it: somebody is about to write
            lambda: photo.write_bytes(b"another photo of that name"),
            lambda: None,
        ]
    )

    def run(plan: Plan) -> int:
        given.append([(job.input.name, job.input.read_bytes()) for job in plan.jobs])
        return 1  # it failed, and is not tried again before it has changed

    with pytest.raises(StopError):
        watching.watch(lambda: make_plan([str(tmp_path / "in")], output=str(tmp_path / "out"), may_be_empty=True), run)
    assert given == [[("a.png", b"half and more")], [("a.png", b"another photo of that name")]]


def test_what_cannot_be_used_is_said_once_and_does_not_end_it(looks, make_photo, tmp_path, capsys):
    make_photo("in/same.png")
    other, runs = make_photo("other/same.png"), []
    looks([lambda: None, other.unlink, lambda: None, lambda: None])
    with pytest.raises(StopError):
        watching.watch(
            lambda: make_plan([str(tmp_path / "in"), str(tmp_path / "other")], output=str(tmp_path / "out")),
            lambda plan: runs.append(plan) or 0,
        )
    assert capsys.readouterr().err.count("would both be written to") == 1
    assert [[job.input.parent.name for job in plan.jobs] for plan in runs] == [["in"]]
    finished = watching._FinishedFiles()
    plan = Plan((), (Failure("gone", "does not exist"),))
    assert [len(finished.only_new(plan).failures) for _ in range(2)] == [1, 0]


def test_a_full_disk_ends_it(looks, make_photo, tmp_path):
    make_photo("in/a.png")
    looks([lambda: None] * 5)
    assert watching.watch(lambda: make_plan([str(tmp_path / "in")]), lambda plan: 2) == 2


def wait_for(report: Path, lines: int, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not report.exists() or report.read_text().count("\n") < lines:
        assert time.monotonic() < end, "the photo was not restored"
        time.sleep(0.1)


@pytest.mark.timeout(600)
def test_the_program_watches_and_survives_a_restart(make_photo, tmp_path):
    (tmp_path / "in").mkdir()
    words = ["restore", "in", "-o", "out", "-r", "--watch", "--report", "r.jsonl", *COPY]
    command = [sys.executable, "-m", "unblur", *words]

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)

    first = start()
    make_photo("in/sub/a.png")
    wait_for(tmp_path / "r.jsonl", 1)
    first.send_signal(signal.SIGTERM)
    assert "in/sub/a.png -> out/sub/a.png" in first.communicate(timeout=120)[1]
    assert first.returncode == 143
    made = (tmp_path / "out/sub/a.png").stat().st_mtime_ns
    second = start()
    make_photo("in/b.png")
    wait_for(tmp_path / "r.jsonl", 2)
    second.send_signal(signal.SIGINT)
    assert "sub/a.png" not in second.communicate(timeout=120)[1]
    assert second.returncode == 130
    assert (tmp_path / "out/sub/a.png").stat().st_mtime_ns == made
    assert (tmp_path / "out/b.png").exists()
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 2
