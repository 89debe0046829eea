"""Folders with things in them that are no photos, places without permission: never a hang, never a traceback."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

FREE = ("--method", "input")


@pytest.fixture
def photo(make_photo) -> bytes:
    return make_photo().read_bytes()


@pytest.fixture
def nobody(photo, make_photo, run):
    """A folder of an ordinary user's, and that user's rights: root may read and write everything."""
    # The process in which files are decoded is started while the interpreter can still be reached.
    assert run("restore", make_photo("first.png"), *FREE).code == 0
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    yield folder
    if is_root:
        os.seteuid(0)
    shutil.rmtree(folder)


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
    here = Path.cwd()
    os.chdir(folder)
    for _ in range(45):
        Path("d" * 99).mkdir()
        os.chdir("d" * 99)
    Path("deep.png").write_bytes(photo)
    os.chdir(here)


def test_a_folder_full_of_traps(nobody, photo, run):
    fill(nobody / "in", photo)
    ran = run("restore", nobody / "in", "-r", "-o", nobody / "out", *FREE)
    assert ran.code == 1
    made = sorted(path.relative_to(nobody / "out").as_posix() for path in (nobody / "out").rglob("*") if path.is_file())
    assert made == ["a.png", "b.jpg", "folder.jpg/e.png", "sub/c.png", "sub/sub/d.png"]
    to_blame = {line.removeprefix("unblur: error: ").split(":")[0].rsplit("/", 1)[1] for line in ran.errors}
    assert to_blame == {"closed", "closed.png", "loop.png", "nowhere.png", "sparse.png", "d" * 99}


@pytest.mark.parametrize("output", ["closed/", "closed/below/", "closed/x.png"])
def test_places_without_permission(nobody, run, output):
    (nobody / "a.png").write_bytes(b"never read")
    (nobody / "closed").mkdir(mode=0o555)
    ran = run("restore", nobody / "a.png", "-o", f"{nobody}/{output}", *FREE)
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert not list((nobody / "closed").iterdir())


def test_a_closed_folder_beside_the_input_stops_the_batch(nobody, photo, run):
    (nobody / "in").mkdir()
    for name in ("a.png", "b.png"):
        (nobody / "in" / name).write_bytes(photo)
    (nobody / "in").chmod(0o555)
    ran = run("restore", nobody / "in", *FREE)
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert len(list((nobody / "in").iterdir())) == 2
