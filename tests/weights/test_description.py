"""What a file describes is read in a process with limits, and nothing that it says is taken on trust."""

import os
import signal

import pytest

import hostile_checkpoints as hostile
from unblur.errors import CheckpointError
from unblur.weights import description
from unblur.weights.checkpoint import read_checkpoint
from unblur.weights.description import Description
from unblur.weights.pickles import StorageNote, TensorNote


@pytest.fixture
def path(tmp_path):
    (tmp_path / "w.pth").write_bytes(hostile.good_files()["plain.pth"])
    return tmp_path / "w.pth"


def test_memory_is_limited(tmp_path, path, monkeypatch):
    monkeypatch.setattr(description, "_MEMORY", 1 << 20)
    (tmp_path / "large.pth").write_bytes(hostile.bombs()["pickle_16MB_of_lists.pth"])
    with pytest.raises(CheckpointError, match="memory"):
        read_checkpoint(tmp_path / "large.pth")
    monkeypatch.undo()
    assert read_checkpoint(path).tensors


def test_the_process_may_die(path):
    read_checkpoint(path)
    pid = description._sandbox.pid
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert read_checkpoint(path).tensors
    assert description._sandbox.pid != pid


def test_no_numbers_come_from_outside_the_file(path, monkeypatch):
    """Also if the process was taken over and says so."""
    note = TensorNote(StorageNote("0", "float32", 100), 0, (100,), (1,))
    for place in (-4, path.stat().st_size - 40, 10**12):
        told = Description(("a",), {}, {"a": note}, {"0": place})
        monkeypatch.setattr("unblur.weights.checkpoint.describe", lambda file, size, told=told: told)
        with pytest.raises(CheckpointError, match="numbers of a tensor are missing"):
            read_checkpoint(path)


@pytest.mark.parametrize("shape", [(101,), (10, 11), (-1,), (2**41,), (1,) * 9])
def test_no_tensor_reaches_outside_its_storage(shape):
    plain = {
        "names": ["a"],
        "metadata": {},
        "notes": [["0", 0, list(shape), [1] * len(shape)]],
        "storages": [["0", "float32", 100]],
        "places": {"0": 0},
    }
    with pytest.raises((CheckpointError, ValueError)):
        description._unpack(plain)
