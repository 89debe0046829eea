import json
import multiprocessing
import os
import signal
import socket

import pytest

from unblur.errors import TrainingError
from unblur.system.lock import LOCK_NAME, hold_folder


def hold_with_a_worker(folder, pipe):
    """Hold the folder, and start a worker that outlives this process."""
    with hold_folder(folder):
        if os.fork() == 0:
            pipe.send(os.getpid())
            signal.pause()
        signal.pause()


@pytest.fixture
def holder(tmp_path):
    """A process that holds the folder, and the pid of its worker."""
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    process = context.Process(target=hold_with_a_worker, args=(tmp_path, theirs))
    process.start()
    worker = ours.recv()
    yield process
    process.kill()
    process.join()
    os.kill(worker, signal.SIGKILL)


def test_a_held_folder_is_refused_until_its_process_dies(tmp_path, holder):
    with pytest.raises(TrainingError, match=f"process {holder.pid} on {socket.gethostname()}"), hold_folder(tmp_path):
        pass
    holder.kill()
    holder.join()
    with hold_folder(tmp_path):  # although its worker lives
        assert json.loads((tmp_path / LOCK_NAME).read_text())["pid"] == os.getpid()


def test_another_machine_is_believed(tmp_path):
    claim = json.dumps({"pid": 1, "host": "elsewhere"})
    (tmp_path / LOCK_NAME).write_text(claim)
    with pytest.raises(TrainingError, match=r"belongs to process 1 on elsewhere.*--force"), hold_folder(tmp_path):
        pass
    assert (tmp_path / LOCK_NAME).read_text() == claim
    with hold_folder(tmp_path, force=True):
        pass
    with hold_folder(tmp_path):
        pass


@pytest.mark.parametrize("content", ["", "no json", "[]", '{"pid": 1}', "null"])
def test_an_odd_lock_file_holds_nobody_up(tmp_path, content):
    (tmp_path / LOCK_NAME).write_text(content)
    with hold_folder(tmp_path):
        pass
