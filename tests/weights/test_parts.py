"""Folders of part files: joined by the files' names, checked like files, with one checksum."""

from hashlib import sha256

import pytest
import torch

import hostile_checkpoints as hostile
from unblur.errors import CheckpointError
from unblur.methods.architectures import describe_checkpoint
from unblur.methods.loading import load_method
from unblur.weights.checkpoint import read_checkpoint
from unblur.weights.safe_file import write_checkpoint
from unblur.weights.shipped import checksum_of, read_weights

ONE = {"a": torch.tensor([1.0])}


@pytest.fixture
def parts(tmp_path):
    """Two parts in different forms, and files that are none."""
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "second_lv1.pkl").write_bytes(hostile.saved(ONE, legacy=True))
    write_checkpoint(folder / "first_lv1.safetensors", {"b": torch.tensor([2.0, 3.0])}, {"arch": "other"})
    (folder / ".hidden.pkl").write_bytes(b"no weights")
    (folder / "README.md").write_text("about")
    (folder / "old.pkl").mkdir()
    return folder


def test_parts_are_joined_by_the_names_of_their_files(parts):
    checkpoint = read_checkpoint(parts)
    assert checkpoint.name == "net"
    assert {name: tensor.tolist() for name, tensor in checkpoint.tensors.items()} == {
        "first_lv1.b": [2.0, 3.0],
        "second_lv1.a": [1.0],
    }
    assert checkpoint.metadata == {}


def test_the_checksum_is_that_of_all_parts(parts):
    before = checksum_of(parts)
    assert before == read_checkpoint(parts).sha256
    (parts / "second_lv1.pkl").write_bytes(hostile.saved({"a": torch.tensor([9.0])}))
    assert checksum_of(parts) == read_checkpoint(parts).sha256 != before


def test_a_folder_of_one_file_is_that_file(tmp_path):
    write_checkpoint(tmp_path / "net.safetensors", ONE, {"arch": "tiny"})
    folder, file = read_checkpoint(tmp_path), read_checkpoint(tmp_path / "net.safetensors")
    assert (folder.tensors, folder.metadata, folder.sha256) == (file.tensors, file.metadata, file.sha256)
    assert checksum_of(tmp_path) == sha256((tmp_path / "net.safetensors").read_bytes()).hexdigest()


def test_a_damaged_part_is_named(parts):
    (parts / "second_lv1.pkl").write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match=r"the weights .*net: its part second_lv1\.pkl is"):
        read_weights(parts)


def test_two_parts_of_one_name(parts):
    (parts / "second_lv1.pth").write_bytes(hostile.saved(ONE))
    with pytest.raises(CheckpointError, match="two of the files have the same name"):
        read_checkpoint(parts)


@pytest.mark.parametrize(
    ("count", "told"), [(0, "is a folder without files of weights"), (33, "is a folder of 33 files")]
)
def test_folders_that_are_no_network(tmp_path, count, told):
    for number in range(count):
        (tmp_path / f"{number}.pth").write_bytes(b"")
    with pytest.raises(CheckpointError, match=told):
        read_checkpoint(tmp_path)


def test_the_folder_of_official_parts_is_a_network(data_folder):
    folder = data_folder.parent / "weights" / "dmphn"
    if not folder.is_dir():
        pytest.skip("no official weights beside the shared data")
    checkpoint = read_checkpoint(folder)
    assert describe_checkpoint(checkpoint) == "DMPHN (1-2-4)"
    assert load_method("dmphn", weights=folder).checkpoint.sha256 == checksum_of(folder)
