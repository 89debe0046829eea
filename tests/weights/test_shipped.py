"""Weights by name: what ships is whole, has a card, and is what its checksum says."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

import hostile_checkpoints as made
import unblur.weights.shipped
from unblur.errors import CheckpointError
from unblur.methods.catalog import find_entry, list_entries
from unblur.weights.checkpoint import read_checkpoint
from unblur.weights.safe_file import write_checkpoint
from unblur.weights.shipped import checksum_of, find_weights, read_weights, shipped

TABLE = '[{name}]\nmethod = "tiny"\nsummary = "two layers"\nsha256 = "{digest}"\n'


@pytest.fixture
def shelf(tmp_path):
    """A folder of shipped weights with `tiny-one` in it."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    write_checkpoint(folder / "tiny-one.safetensors", made.weights(), {"arch": "tiny"})
    digest = sha256((folder / "tiny-one.safetensors").read_bytes()).hexdigest()
    (folder / "shipped.toml").write_text(TABLE.format(name="tiny-one", digest=digest))
    return folder


def test_what_ships_is_whole():
    """Every file of weights is listed, has its checksum, its metadata and its card, and a method that knows it."""
    listed = shipped()
    folder = Path(unblur.weights.shipped.__file__).parent
    assert {path.stem for path in folder.glob("*.safetensors")} == set(listed)
    for name, entry in listed.items():
        checkpoint = read_checkpoint(entry.path)
        assert checkpoint.sha256 == entry.sha256
        assert find_entry(entry.method).takes_weights
        wanted = {"format_version", "method", "arch", "arch_config", "trained_on", "licence", "metrics", "commit"}
        assert wanted <= set(checkpoint.metadata), name
        card = entry.card.read_text(encoding="utf-8")
        assert re.match(r"---\n(.+\n)+---\n", card), "a card begins with a YAML head"


def test_every_default_ships():
    for entry in list_entries().values():
        assert not entry.weights or entry.weights in shipped()
        assert entry.takes_weights or not entry.weights


def test_by_name(shelf):
    checkpoint = read_weights("tiny-one", shelf)
    assert checkpoint.name == "tiny-one"
    assert checkpoint.metadata == {"arch": "tiny"}
    assert checksum_of("tiny-one", shelf) == checkpoint.sha256


def test_by_file(shelf, monkeypatch):
    monkeypatch.chdir(shelf)
    (shelf / "tiny-one").write_bytes(made.good_files()["plain.pth"])
    assert read_weights("./tiny-one", shelf).name == "tiny-one"
    assert (
        read_weights("./tiny-one", shelf).sha256 == checksum_of("./tiny-one", shelf) != checksum_of("tiny-one", shelf)
    )


def test_a_changed_file_is_refused(shelf):
    write_checkpoint(shelf / "tiny-one.safetensors", made.weights(), {"arch": "other"}, overwrite=True)
    with pytest.raises(CheckpointError, match="the weights tiny-one: is not the file that was expected"):
        read_weights("tiny-one", shelf)


def _empty(folder):
    made = folder / "empty"
    made.mkdir()
    return made


def test_unknown_names(shelf, tmp_path):
    with pytest.raises(CheckpointError, match="no weights of that name; shipped weights: tiny-one"):
        find_weights("tiny-two", shelf)
    with pytest.raises(CheckpointError, match=r"the weights .+: is a folder without"):
        checksum_of(_empty(tmp_path), shelf)
