"""What a page has done for it, without a browser: answers, archives, cancelling, and files that go with the page."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from conftest import photo_of
from made_raw import dng, scene
from unblur.app.kernels import encode_npy
from unblur.app.runs import Asked, restore_photos
from unblur.app.sessions import Session, Sessions
from unblur.batch.options import BatchOptions
from unblur.cli.main import main
from unblur.methods.options import RestoreOptions
from unblur.server.queue import JobQueue
from unblur.server.settings import ServerSettings
from unblur.server.storage import Storage

INPUT = Asked(BatchOptions(method="input"))


@pytest.fixture(scope="module")
def queue() -> Iterator[JobQueue]:
    queue = JobQueue(ServerSettings())
    yield queue
    queue.close(0)


@pytest.fixture
def sessions(tmp_path) -> Iterator[Sessions]:
    storage = Storage(tmp_path)
    yield Sessions(storage)
    storage.close()


@pytest.fixture
def session(sessions) -> Session:
    return sessions.of("page")


def photo(folder: Path, name: str, seed: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    photo_of((48, 32), seed).save(folder / name)
    return folder / name


def test_answer_is_the_file_of_the_command_line(session, queue, tmp_path):
    path = photo(tmp_path / "in", "photo.jpg")
    asked = Asked(BatchOptions(method="known-kernel"), encode_npy(np.full((1, 5), 0.2, np.float32)))
    *_, last = restore_photos(session, queue, [path], asked)
    assert last.answer is not None
    assert last.answer.sharp.name == "photo.unblur.jpg"
    assert last.answer.kernel is not None
    exact = last.answer.kernel.with_suffix(".npy")
    words = ["restore", str(path), "-m", "known-kernel", "--kernel", str(exact), "-o", str(tmp_path / "cli.jpg"), "-q"]
    assert main(words) == 0
    assert last.answer.sharp.read_bytes() == (tmp_path / "cli.jpg").read_bytes()
    assert session.answers == [last.answer]


def test_answer_to_camera_raw_is_named_after_what_is_written(session, queue, tmp_path):
    pytest.importorskip("rawpy")
    path = tmp_path / "photo.dng"
    dng(scene(24, 32), path)
    *_, last = restore_photos(session, queue, [path], INPUT)
    assert last.answer is not None
    assert last.answer.sharp.name == "photo.unblur.tif"


def test_several_photos_come_as_an_archive_with_a_report(session, queue, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    photos = [photo(tmp_path / "a", "same.png"), broken, photo(tmp_path / "b", "same.png", 1)]
    updates = list(restore_photos(session, queue, photos, INPUT))
    (failure,) = [update.text for update in updates if update.is_error]
    assert failure.startswith("broken.jpg (2 of 3): ")
    fractions = [update.fraction for update in updates if update.fraction is not None]
    assert fractions == sorted(fractions)
    with zipfile.ZipFile(updates[-1].archive) as archive:
        assert archive.namelist() == ["same.unblur.png", "same.unblur-2.png", "report.jsonl"]
        rows = [json.loads(line) for line in archive.read("report.jsonl").splitlines()]
        sharp = [archive.read("same.unblur.png"), archive.read("same.unblur-2.png")]
    assert sharp == [answer.sharp.read_bytes() for answer in session.answers]
    assert sharp[0] != sharp[1]
    assert [row["status"] for row in rows] == ["done", "failed", "done"]
    assert [row["input"] for row in rows] == ["same.png", "broken.jpg", "same.png"]
    assert [row["output"] for row in rows] == ["same.unblur.png", None, "same.unblur-2.png"]


def test_cancel_ends_the_run(session, queue, tmp_path):
    slow = Asked(BatchOptions(method="slow-input", settings={"steps": 200, "nap": 0.05}))
    photos = [photo(tmp_path / "in", f"{number}.png") for number in range(2)]
    texts = []
    for update in restore_photos(session, queue, photos, slow):
        texts.append(update.text)
        if update.fraction:
            session.cancel()
    assert texts[-2].endswith("Cancelled.")
    assert texts[-1] == "0 of 2 photos restored."
    assert session.answers == []
    *_, last = restore_photos(session, queue, photos[:1], INPUT)
    assert last.answer is not None


def test_files_are_found_by_their_address_until_the_page_is_closed(sessions, session, queue, tmp_path):
    *_, last = restore_photos(session, queue, [photo(tmp_path / "in", "photo.png")], INPUT)
    address = session.address_of(last.answer.sharp)
    _, place, key, name = address.split("/")
    assert (place, name) == ("files", "photo.unblur.png")
    assert len(key) >= 24
    assert sessions.find(key) == last.answer.sharp
    assert session.address_of(last.answer.sharp) == address
    sessions.close("page")
    assert sessions.find(key) is None
    assert not session.folder.exists()


def test_caption_says_what_was_chosen():
    options = BatchOptions(method="map", settings={"prior": "tv"}, restore=RestoreOptions(kernel_size=25))
    assert Asked(options).caption == "map, prior tv, kernel size 25"
