"""Broken files and greedy ones: one sentence that names the cause, in little memory (goals F2, F3)."""

import json
import os
import subprocess
import sys

import pytest
import torch

import greedy_checkpoints as greedy
import hostile_checkpoints as hostile
from unblur.errors import CheckpointError
from unblur.weights.checkpoint import read_checkpoint

BROKEN = hostile.broken_files()
MEASURED = """
import json, sys
from pathlib import Path
from unblur.errors import CheckpointError
from unblur.system.memory import peak_mb, restart_peak
from unblur.weights.checkpoint import read_checkpoint
folder = Path(sys.argv[1])
read_checkpoint(folder / "plain.pth")  # what torch itself needs
read_checkpoint(folder / "plain.safetensors")
for path in sorted(folder.glob("bomb_*")):
    restart_peak()
    before = peak_mb()
    try:
        read_checkpoint(path)
        sentence = ""
    except CheckpointError as error:
        sentence = str(error)
    print(json.dumps([path.name, sentence, peak_mb() - before]))
"""


@pytest.mark.parametrize("name", BROKEN)
def test_the_cause_is_named(tmp_path, name):
    data, cause = BROKEN[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=cause) as caught:
        read_checkpoint(path)
    assert name not in str(caught.value)  # whoever holds the name puts it in front
    assert "\n" not in str(caught.value)


def test_there_are_thirty_of_them():
    assert len(BROKEN) >= 30


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda path: path.mkdir(), "folder"),
        (lambda path: None, "does not exist"),
        (os.mkfifo, "device or pipe"),
        (lambda path: path.symlink_to("/dev/zero"), "device or pipe"),
        (lambda path: path.symlink_to("nowhere"), "does not exist"),
        (lambda path: path.symlink_to(path), "too many levels"),
        (lambda path: (path.touch(), os.truncate(path, 5 * 2**30)), "larger than 4 GB"),
    ],
    ids=["folder", "missing", "pipe", "device", "dangling", "loop", "sparse"],
)
def test_what_is_no_file(tmp_path, make, cause):
    make(tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=cause):
        read_checkpoint(tmp_path / "w.pth")


def test_names_that_no_system_has():
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_checkpoint("a\0b.pth")


def test_bombs_cost_little(tmp_path):
    bombs = hostile.bombs() | greedy.greedy_files()
    for name, data in hostile.good_files().items():
        (tmp_path / name).write_bytes(data)
    for name, data in bombs.items():
        (tmp_path / f"bomb_{name}").write_bytes(data)
    ran = subprocess.run([sys.executable, "-c", MEASURED, tmp_path], capture_output=True, text=True, check=True)
    measured = {name: rest for name, *rest in map(json.loads, ran.stdout.splitlines())}
    assert len(measured) == len(bombs)
    for name, (sentence, megabytes) in measured.items():
        assert 0 < len(sentence) < 300, name
        assert megabytes <= 200, name
    assert "far more numbers than it holds" in measured["bomb_same_view_often.pth"][0]


@pytest.mark.parametrize("name", greedy.contradictory_archives())
def test_archives_that_two_readers_would_read_differently(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(greedy.contradictory_archives()[name])
    with pytest.raises(CheckpointError, match=r"contradict each other|does not end as one|in two ways"):
        read_checkpoint(path)


def test_archives_with_long_records_are_read(tmp_path):
    (tmp_path / "w.pth").write_bytes(greedy.with_zip64(hostile.saved(hostile.weights())))
    tensors = read_checkpoint(tmp_path / "w.pth").tensors
    for name, tensor in hostile.weights().items():
        assert torch.equal(tensors[name], tensor)
