"""Scratch files: whole results, on the disk where they are large and there is room."""

import os

import pytest

from unblur.system import scratch
from unblur.system.scratch import disk_file, lasting_scratch_file, reserve, scratch_file, write_all


def content(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


@pytest.fixture
def target():
    file = disk_file()
    yield file
    os.close(file)


def test_all_bytes_are_written():
    file = scratch_file()
    write_all(file, memoryview(b"abc" * 100_000))
    assert content(file) == b"abc" * 100_000
    os.close(file)


@pytest.mark.parametrize(("size", "on_disk"), [(3, False), (9, True)])
def test_large_results_go_to_the_disk(monkeypatch, target, size, on_disk):
    monkeypatch.setattr(scratch, "LARGE", 8)
    with lasting_scratch_file(size, target) as file:
        write_all(file, b"x" * size)
    assert (file == target) == on_disk
    assert content(file) == b"x" * size
    if not on_disk:
        os.close(file)


def test_a_second_attempt_begins_anew(target):
    write_all(target, b"a first attempt that failed")
    assert reserve(target, 4)
    write_all(target, b"good")
    assert content(target) == b"good"


def test_without_room_or_folder_memory_is_taken(monkeypatch, target):
    def is_full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scratch, "LARGE", 1)
    monkeypatch.setattr(os, "posix_fallocate", is_full)
    with lasting_scratch_file(3, target) as file:
        assert file != target
    os.close(file)
    monkeypatch.setattr(scratch.tempfile, "TemporaryFile", is_full)
    assert disk_file() is None


def test_a_failed_result_is_closed():
    with pytest.raises(ZeroDivisionError), lasting_scratch_file() as file:
        raise ZeroDivisionError
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(file)
