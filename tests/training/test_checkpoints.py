import os
import pickle
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from unblur.errors import CheckpointError, OutputError
from unblur.training import load_recipe, train
from unblur.training.checkpoints import SafeCheckpointIO, list_checkpoints, newest_whole, read_training


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """More bits than the padding between two tensors has, where a change would be no damage."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 128] = bytes(value ^ 1 for value in data[middle : middle + 128])
    path.write_bytes(data)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [cut, flip, empty, Path.unlink], ids=["cut", "flip", "empty", "delete"])
def test_a_damaged_checkpoint_costs_one_interval(runs, harm):
    runs.start()
    kept = {name: runs.file(name).read_bytes() for name in ("log.csv", "scores.csv", "tiny.safetensors")}
    harm(list_checkpoints(runs.file("checkpoints"))[0])
    runs.lines.clear()
    runs.start()
    assert runs.lines[0] == "continuing from step-000000015.ckpt"
    assert len(runs.warnings) == (harm is not Path.unlink)
    assert {name: runs.file(name).read_bytes() for name in kept} == kept


def test_nothing_begins_anew_where_all_checkpoints_are_damaged(runs):
    runs.start()
    for path in list_checkpoints(runs.file("checkpoints")):
        empty(path)
    with pytest.raises(CheckpointError, match="none of the 3 checkpoints"):
        runs.start()


class Bomb:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self):
        return (Path.touch, (self.canary,))


def test_code_in_a_checkpoint_is_never_run(runs):
    canary = runs.folder / "canary"
    runs.start()
    newest = list_checkpoints(runs.file("checkpoints"))[0]
    hostile = runs.folder / "hostile.ckpt"
    torch.save(read_training(newest) | {"unblur_record": Bomb(canary)}, hostile)
    with pytest.raises(CheckpointError):
        runs.start(resume=str(hostile))
    hostile.write_bytes(pickle.dumps(Bomb(canary)))
    with pytest.raises(CheckpointError):
        runs.start(resume=str(hostile))
    shutil.copy(hostile, newest)
    runs.start()
    assert "taking the one before" in runs.warnings[0]
    assert not canary.exists()


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        ({"state_dict": {"weight": torch.zeros(3)}}, "no state of a training run"),
        (
            {"state_dict": {}, "optimizer_states": [], "loops": {}, "global_step": 3},
            "does not say which run it is of",
        ),
    ],
)
def test_weights_of_something_else_are_no_checkpoint(runs, saved, words):
    path = runs.folder / "other.ckpt"
    torch.save(saved, path)
    with pytest.raises(CheckpointError, match=words):
        runs.start(resume=str(path))


def test_a_missing_checkpoint(runs):
    with pytest.raises(CheckpointError, match=r"none\.ckpt does not exist"):
        runs.start(resume="none.ckpt")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


PAUSES = (0.01, 0.01, 0.01)


def test_a_full_disk_is_told_and_leaves_the_old_checkpoint_whole(small_disk):
    warnings = []
    files = SafeCheckpointIO(warnings.append, pauses=PAUSES)
    state = {"state_dict": {"w": torch.rand(100_000)}, "optimizer_states": [], "loops": {}, "global_step": 1}
    files.save_checkpoint(state, small_disk / "step-000000001.ckpt")
    (small_disk / "filler").write_bytes(bytes(500_000))
    files.save_checkpoint(state, small_disk / "step-000000002.ckpt")
    assert [word in warning for word, warning in zip(["next try"] * 3 + ["NO CHECKPOINT"], warnings, strict=True)]
    assert all("the disk is full" in warning for warning in warnings)
    assert newest_whole(small_disk, warnings.append) == small_disk / "step-000000001.ckpt"
    assert {path.name for path in small_disk.iterdir()} == {"step-000000001.ckpt", "filler"}


def test_a_disk_that_has_room_again_is_used_at_the_next_try(small_disk):
    filler = small_disk / "filler"
    filler.write_bytes(bytes(800_000))
    warnings = []

    def warn_and_make_room(warning):
        warnings.append(warning)
        filler.unlink()

    state = {"state_dict": {"w": torch.rand(100_000)}, "optimizer_states": [], "loops": {}, "global_step": 1}
    SafeCheckpointIO(warn_and_make_room, pauses=PAUSES).save_checkpoint(state, small_disk / "step-000000001.ckpt")
    assert len(warnings) == 1
    assert newest_whole(small_disk, warnings.append)


@pytest.mark.slow
def test_a_run_outlives_a_full_disk_and_its_logs_are_whole(runs, small_disk):
    filler = small_disk / "filler"

    def say(line):
        if line.startswith("step 5 "):
            room = os.statvfs(small_disk)
            filler.write_bytes(bytes(room.f_bavail * room.f_frsize))
        if line.startswith("step 12 "):
            filler.unlink()

    recipe = load_recipe(runs.recipe(run={"save_every": 10}))
    assert train(recipe, small_disk / "run", say=say, warn=runs.warnings.append).step == 20
    assert any("NO CHECKPOINT WAS WRITTEN: the disk is full" in warning for warning in runs.warnings)
    runs.start("roomy", run={"save_every": 10})
    for name in ("log.csv", "scores.csv"):
        assert (small_disk / "run" / name).read_bytes() == runs.file(name, "roomy").read_bytes()


def test_without_keep_going_a_full_disk_ends_the_run(small_disk):
    (small_disk / "filler").write_bytes(bytes(1_000_000))
    files = SafeCheckpointIO(lambda _: None, keep_going=False, pauses=PAUSES)
    with pytest.raises(OutputError, match="the disk is full"):
        files.save_checkpoint({"state_dict": {"w": torch.rand(100_000)}}, small_disk / "step-000000001.ckpt")
    assert not list_checkpoints(small_disk)
