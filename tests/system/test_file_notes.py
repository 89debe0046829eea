"""Notes kept with files."""

import json
import os
from pathlib import Path

import pytest

from unblur.system.file_notes import JOURNAL_NAME, attach_note, describe_file, is_described, read_note


@pytest.fixture(params=["attribute", "journal"])
def file(request, tmp_path, monkeypatch) -> Path:
    if request.param == "journal":

        def refuse(*words: object) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(os, "setxattr", refuse)
    path = tmp_path / os.fsdecode(b"a\xff.png")
    path.write_bytes(b"one")
    attach_note(path, b"one", {"made": 1})
    assert (tmp_path / JOURNAL_NAME).exists() == (request.param == "journal")
    return path


def test_a_note_comes_back(file):
    note = read_note(file)
    assert note is not None
    assert (note.values, note.is_unchanged) == ({"made": 1}, True)
    attach_note(file, b"one", {"made": 2})
    assert read_note(file).values == {"made": 2}


def test_a_change_is_noticed(file):
    os.utime(file, (1, 1))
    assert read_note(file).is_unchanged, "the content is the same"
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_bytes(b"two")
    assert not read_note(file).is_unchanged
    file.write_bytes(b"more")
    os.utime(file, ns=times)
    assert not read_note(file).is_unchanged


def test_no_note(tmp_path):
    (tmp_path / "a").touch()
    assert read_note(tmp_path / "a") is None
    assert read_note(tmp_path / "missing" / "a") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", "no JSON", '{"values": 3}', "[" * 9999, '{"values": {}, "file": 1}'])
def test_broken_notes_are_none(tmp_path, text):
    (tmp_path / "a").touch()
    os.setxattr(tmp_path / "a", "user.unblur", text[:3000].encode())
    (tmp_path / JOURNAL_NAME).write_text(f"{text}\n" + json.dumps({"name": "a"}))
    note = read_note(tmp_path / "a")
    assert note is None or not note.is_unchanged


def test_a_journal_is_never_a_way_into_another_file(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "setxattr")
    (tmp_path / "a").touch()
    (tmp_path / "precious").write_text("mine")
    (tmp_path / JOURNAL_NAME).symlink_to(tmp_path / "precious")
    attach_note(tmp_path / "a", b"", {})
    assert (tmp_path / "precious").read_text() == "mine"
    assert read_note(tmp_path / "a") is None
    (tmp_path / JOURNAL_NAME).unlink()
    os.mkfifo(tmp_path / JOURNAL_NAME)
    attach_note(tmp_path / "a", b"", {})
    assert read_note(tmp_path / "a") is None


def test_descriptions(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    description = describe_file(tmp_path / "a")
    assert is_described(tmp_path / "a", json.loads(json.dumps(description)))
    (tmp_path / "b").write_bytes(b"one")
    assert is_described(tmp_path / "b", description)
    (tmp_path / "b").write_bytes(b"two")
    assert not is_described(tmp_path / "b", description)
    assert not is_described(tmp_path / "missing", description)
    assert not is_described(tmp_path / "a", None)
