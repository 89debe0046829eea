"""Folders with things in them that are no photos, places without permission: never a hang, never a traceback."""

import contextlib
import os
from pathlib import Path

import pytest

from ordinary_rights import with_ordinary_rights

FREE = ("--method", "input")
ERROR = "unblur: error: "


@pytest.fixture
def photo(make_photo) -> bytes:
    return make_photo().read_bytes()


@pytest.fixture
def restore(program):
    """`unblur restore` of somebody who may not read and write everything: its exit code and its errors."""

    def restore_words(*words: object) -> tuple[int, list[str]]:
        ran = program("restore", *words, *FREE, before=with_ordinary_rights())
        return ran.returncode, [line for line in ran.stderr.decode().splitlines() if line.startswith(ERROR)]

    return restore_words


def fill(folder: Path, photo: bytes) -> None:
    """Five good photos among everything else that a folder can hold."""
    for name in ["a.png", "b.jpg", "sub/c.png", "sub/sub/d.png", "folder.jpg/e.png"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(photo)
    (folder / "closed.png").write_bytes(photo)
    (folder / "closed.png").chmod(0)
    (folder / "closed").mkdir(mode=0)
    os.mkfifo(folder / "pipe.png")
    (folder / "device.png").symlink_to("/dev/zero")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "nowhere.png").symlink_to("gone.png")
    (folder / "up.png").symlink_to("..")
    (folder / "up").symlink_to("..")
    (folder / "outside.png").symlink_to("/etc/hostname")
    with (folder / "sparse.png").open("wb") as file:
        file.truncate(5 << 30)
    bury(folder, photo)


def bury(folder: Path, photo: bytes) -> None:
    """A photo so deep that its path is longer than the system takes."""
    with contextlib.chdir(folder):
        for _ in range(45):
            Path("d" * 99).mkdir()
            os.chdir("d" * 99)
        Path("deep.png").write_bytes(photo)


def test_a_folder_full_of_traps(tmp_path, photo, restore):
    made = tmp_path / "out"
    fill(tmp_path / "in", photo)
    code, errors = restore(tmp_path / "in", "-r", "-o", made)
    assert code == 1
    names = sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file())
    assert names == ["a.png", "b.jpg", "folder.jpg/e.png", "sub/c.png", "sub/sub/d.png"]
    to_blame = {line.removeprefix(ERROR).split(":")[0].rsplit("/", 1)[1] for line in errors}
    assert to_blame == {"closed", "closed.png", "loop.png", "nowhere.png", "sparse.png", "d" * 99}


@pytest.mark.parametrize("output", ["closed/", "closed/below/", "closed/x.png"])
def test_places_without_permission(tmp_path, restore, output):
    (tmp_path / "a.png").write_bytes(b"never read")
    (tmp_path / "closed").mkdir(mode=0o555)
    code, errors = restore(tmp_path / "a.png", "-o", f"{tmp_path}/{output}")
    assert (code, len(errors)) == (2, 1)
    assert not list((tmp_path / "closed").iterdir())


def test_a_closed_folder_beside_the_input_stops_the_batch(tmp_path, photo, restore):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(photo)
    folder.chmod(0o555)
    code, errors = restore(folder)
    assert (code, len(errors)) == (2, 1)
    assert len(list(folder.iterdir())) == 2
