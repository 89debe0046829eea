"""A name stands for a whole file or for none, whatever fails."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ordinary_rights import with_ordinary_rights
from unblur.errors import OutputError, WriteError
from unblur.system.atomic import TEMPORARY_PREFIX, atomic_write, remove_leftovers


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_writes_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    atomic_write(target, b"one")
    with pytest.raises(WriteError, match="exists already"):
        atomic_write(target, b"two")
    assert target.read_bytes() == b"one"
    atomic_write(target, b"three", overwrite=True)
    assert target.read_bytes() == b"three"
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_mode_follows_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        atomic_write(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="does not exist"):
        atomic_write(tmp_path / "missing" / "a", b"x")
    with pytest.raises(OutputError, match="not a folder"):
        atomic_write(tmp_path / "file" / "a", b"x")
    with pytest.raises(WriteError, match="folder"):
        atomic_write(tmp_path / "folder", b"x", overwrite=True)
    with pytest.raises(WriteError, match="too long"):
        atomic_write(tmp_path / ("x" * 256), b"x")
    with pytest.raises(WriteError, match="zero byte"):
        atomic_write(tmp_path / "a\0b", b"x")
    with pytest.raises(OutputError, match="device"):
        atomic_write("/dev/full", b"x", overwrite=True)
    assert names(tmp_path) == ["file", "folder"]


def test_longest_name_works(tmp_path: Path) -> None:
    atomic_write(tmp_path / ("x" * 255), b"x")


@pytest.mark.parametrize("call", ["write", "fsync", "link"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
def test_failing_disk_leaves_nothing(tmp_path: Path, call: str, number: int) -> None:
    """The disk fails at one call: the error is ours, and the folder is as before."""
    code = f"""
import os, sys
from unblur.errors import OutputError
from unblur.system.atomic import atomic_write
def fail(*arguments, **options):
    raise OSError({number}, os.strerror({number}))
os.{call} = fail
try:
    atomic_write(sys.argv[1], b"x" * 100)
except OutputError as error:
    sys.exit(0 if str(error).isprintable() else 1)
sys.exit(2)
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=True, env=_environment())
    assert names(tmp_path) == []


def test_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    code = """
import sys
from unblur.errors import OutputError
from unblur.system.atomic import atomic_write
try:
    atomic_write(sys.argv[1], b"x")
except OutputError as error:
    print(error)
"""
    command = [*with_ordinary_rights(), sys.executable, "-c", code, str(tmp_path / "a")]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, env=_environment())
    assert "permission" in ended.stdout


def test_disk_without_links_still_refuses_to_replace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(*arguments: object, **options: object) -> None:
        raise OSError(errno.EPERM, "no links on FAT")

    monkeypatch.setattr(os, "link", no_link)
    atomic_write(tmp_path / "a", b"one")
    with pytest.raises(WriteError, match="exists already"):
        atomic_write(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"
    assert names(tmp_path) == ["a"]


def test_of_many_writers_one_wins_whole(tmp_path: Path) -> None:
    outcomes: list[str] = []

    def write(letter: str) -> None:
        try:
            atomic_write(tmp_path / "a", letter.encode() * 100_000)
            outcomes.append(letter)
        except WriteError:
            outcomes.append("")

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [letter for letter in outcomes if letter]
    assert len(winners) == 1
    assert (tmp_path / "a").read_bytes() == winners[0].encode() * 100_000
    assert names(tmp_path) == ["a"]


def test_killed_writer_leaves_no_file_under_the_name(tmp_path: Path) -> None:
    code = """
import os, sys
from unblur.system.atomic import atomic_write
os.fsync = lambda file: os.kill(os.getpid(), 9)
atomic_write(sys.argv[1], b"x" * 100)
"""
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=False, env=_environment())
    assert ended.returncode == -9
    assert all(name.startswith(TEMPORARY_PREFIX) for name in names(tmp_path))


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}


def test_leftovers_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path: Path) -> None:
    code = """
import os, sys, time
from unblur.system.atomic import atomic_write
def stop(*arguments):
    print("writing", flush=True)
    time.sleep(60)
os.fsync = stop
atomic_write(sys.argv[1], b"x")
"""
    command = [sys.executable, "-c", code, str(tmp_path / "a")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        kept = [".unblur-notes", f"{TEMPORARY_PREFIX}{'0' * 15}g"]
        for name in kept:
            (tmp_path / name).touch()
        (tmp_path / f"{TEMPORARY_PREFIX}{'1' * 16}").symlink_to("a")
        (tmp_path / f"{TEMPORARY_PREFIX}{'2' * 16}").mkdir()
        os.mkfifo(tmp_path / f"{TEMPORARY_PREFIX}{'3' * 16}")
        before = names(tmp_path)
        remove_leftovers(tmp_path)
        assert names(tmp_path) == before
        writer.kill()
        writer.wait()
    remove_leftovers(tmp_path)
    assert len(names(tmp_path)) == len(before) - 1
    assert set(kept) <= set(names(tmp_path))
    remove_leftovers(tmp_path / "missing")


def test_a_temporary_file_that_is_removed_before_it_is_locked(tmp_path: Path, monkeypatch) -> None:
    import fcntl

    lock, tries = fcntl.flock, list[int]()

    def remove_first(file: int, kind: int) -> None:
        if not tries:
            remove_leftovers(tmp_path)
        tries.append(kind)
        lock(file, kind)

    def flock(file: int, kind: int) -> None:
        (lock if kind != fcntl.LOCK_EX else remove_first)(file, kind)

    monkeypatch.setattr(fcntl, "flock", flock)
    atomic_write(tmp_path / "a", b"x")
    assert len(tries) == 2
    assert names(tmp_path) == ["a"]
