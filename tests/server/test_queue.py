"""The queue below HTTP: results, progress, cancelling, limits, and files that are gone afterwards."""

import io
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from running_server import photo_bytes
from unblur.batch.options import BatchOptions
from unblur.errors import BusyError, ServerError, UsageError
from unblur.methods.options import RestoreOptions
from unblur.server.queue import JobQueue
from unblur.server.settings import ServerSettings

INPUT = BatchOptions(method="input")


def slow(seconds: float, steps: int = 20) -> BatchOptions:
    return BatchOptions(method="slow-input", settings={"steps": steps, "nap": seconds / steps})


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("queue")


@pytest.fixture(scope="module")
def queue(place) -> Iterator[JobQueue]:
    """One for all tests that do not close it: a process takes its time to start."""
    queue = JobQueue(ServerSettings(queue=2, keep_seconds=60), place=place)
    yield queue
    queue.close(0)
    assert list(place.iterdir()) == []


def kernel_bytes() -> bytes:
    file = io.BytesIO()
    np.save(file, np.full((1, 5), 0.2))
    return file.getvalue()


def wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and path.name != "lock"]


def test_photo_is_restored_and_gone_after_delete(queue, place):
    photo = photo_bytes()
    job = queue.submit(photo, INPUT)
    states = list(job.changes())
    assert states[-1].status == "done"
    assert states[-1].result.method == "input"
    assert len(job.id) >= 32
    assert job.output.stat().st_size > 0
    assert "photo" not in files_in(place)
    assert queue.get(job.id) is job
    assert queue.delete(job.id)
    assert queue.get(job.id) is None
    assert files_in(place) == []
    assert not queue.delete(job.id)


def test_progress_rises_and_tells_the_time_left(queue):
    job = queue.submit(photo_bytes(), slow(0.6, steps=3))
    fractions, estimates = [], []
    for state in job.changes():
        fractions.append(state.progress.fraction)
        estimates.append(job.seconds_left)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert any(estimates)


def test_images_of_the_work_so_far(queue):
    job = queue.submit(photo_bytes(), BatchOptions(method="known-kernel"), kernel=kernel_bytes(), preview=24)
    shown = {state.progress.preview for state in job.changes()} - {None}
    assert shown
    for data in shown:
        with Image.open(io.BytesIO(data)) as image:
            assert max(image.size) <= 24
    assert job.state.progress.preview is None  # the result is there now


def test_full_queue_refuses_with_the_time_to_wait(queue):
    jobs = [queue.submit(photo_bytes(), slow(30))]
    wait_until(lambda: jobs[0].state.status == "running")
    jobs += [queue.submit(photo_bytes(), INPUT) for _ in range(2)]
    assert [queue.position(job) for job in jobs] == [0, 0, 1]
    with pytest.raises(BusyError, match="wait already") as caught:
        queue.submit(photo_bytes(), INPUT)
    assert caught.value.retry_after >= 1
    jobs[1].cancel()
    jobs.append(queue.submit(photo_bytes(), INPUT))
    jobs[0].cancel()
    assert [job.wait(60).status for job in jobs] == ["cancelled", "cancelled", "done", "done"]


def test_cancelled_job_leaves_its_process_for_the_next(queue):
    queue.submit(photo_bytes(), INPUT).wait(60)
    job = queue.submit(photo_bytes(), slow(60, steps=600))
    wait_until(lambda: job.state.progress.fraction)
    process = queue._workers[0].process
    job.cancel()
    assert job.wait(60).status == "cancelled"
    assert queue.submit(photo_bytes(), INPUT).wait(60).status == "done"
    assert queue._workers[0].process is process


def test_job_that_does_not_stop_is_ended_with_its_process(queue):
    """One long pause reports nothing, so only the end of the process can stop it."""
    job = queue.submit(photo_bytes(), slow(600, steps=1))
    wait_until(lambda: job.state.status == "running")
    job.cancel()
    assert job.wait(60).status == "cancelled"
    assert queue.submit(photo_bytes(), INPUT).wait(60).status == "done"


def test_time_limit(queue):
    job = queue.submit(photo_bytes(), slow(60, steps=1), seconds=0.3)
    assert (job.wait(60).status, job.state.reason) == ("failed", "time")


def test_process_that_dies_costs_one_job(queue):
    queue.submit(photo_bytes(), INPUT).wait(60)
    job = queue.submit(photo_bytes(), slow(60))
    wait_until(lambda: job.state.status == "running")
    os.kill(queue._workers[0].process.process.pid, 9)
    assert (job.wait(60).status, job.state.reason) == ("failed", "crash")
    assert queue.submit(photo_bytes(), INPUT).wait(60).status == "done"


@pytest.mark.parametrize("limit", [{"keep_seconds": 0.2}, {"keep_bytes": 10}])
def test_results_go_when_they_are_old_or_too_large(tmp_path, limit):
    queue = JobQueue(ServerSettings(**limit), place=tmp_path)
    job = queue.submit(photo_bytes(), INPUT)
    assert job.wait(60).status == "done"
    wait_until(lambda: queue.get(job.id) is None)
    assert queue.get(job.id) is None
    assert files_in(tmp_path) == []
    queue.close(0)


def test_closing_ends_all_and_takes_no_more(tmp_path):
    queue = JobQueue(ServerSettings(), place=tmp_path)
    running, waiting = queue.submit(photo_bytes(), slow(60)), queue.submit(photo_bytes(), INPUT)
    wait_until(lambda: running.state.status == "running")
    queue.close(0.2)
    assert (running.state.status, running.state.reason) == ("failed", "stop")
    assert (waiting.state.status, waiting.state.reason) == ("failed", "stop")
    with pytest.raises(ServerError, match="stopping"):
        queue.submit(photo_bytes(), INPUT)
    assert list(tmp_path.iterdir()) == []


def test_results_outlive_the_end_of_the_jobs(tmp_path):
    """They are answered with after that: only when all connections are closed may the files go."""
    queue = JobQueue(ServerSettings(), place=tmp_path)
    running = queue.submit(photo_bytes(), slow(2))
    wait_until(lambda: running.state.status == "running")
    queue.end_jobs()
    assert running.state.status == "done"
    assert running.output.stat().st_size > 0
    queue.close(0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (BatchOptions(method="sharpen"), "no method"),
        (BatchOptions(method="map", settings={"no": 1}), "no setting"),
        (BatchOptions(method="golf", weights="/etc/passwd"), "no weights of that name"),
        (BatchOptions(method="selfdeblur", settings={"state": "/tmp/x"}), "names a file"),
        (BatchOptions(method="selfdeblur", settings={"teacher_weights": "/tmp/x"}), "names a file"),
        (BatchOptions(method="input", restore=RestoreOptions(device="cuda:7")), "no device"),
    ],
)
def test_what_a_client_has_no_business_with(queue, place, options, words):
    before = files_in(place)
    with pytest.raises(UsageError, match=words):
        queue.submit(photo_bytes(), options)
    assert files_in(place) == before


def test_folders_of_killed_servers_are_removed(tmp_path):
    left = tmp_path / "unblur-server-left"
    left.mkdir()
    (left / "lock").touch()
    (tmp_path / "unblur-server-other").mkdir()
    first = JobQueue(ServerSettings(), place=tmp_path)
    second = JobQueue(ServerSettings(), place=tmp_path)
    assert not left.exists()
    assert (tmp_path / "unblur-server-other").exists()
    assert first.is_open
    first.close(0)
    second.close(0)
    assert [path.name for path in tmp_path.iterdir()] == ["unblur-server-other"]
