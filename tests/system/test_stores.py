"""Objects in a real S3 server, with what goes wrong on the way."""

import os

import pytest

from store_server import serve_store
from unblur.errors import MissingExtraError, OutputError, ReadError, WriteError
from unblur.system import stores
from unblur.system.stores import Address, is_store

pytest.importorskip("s3fs")
pytest.importorskip("moto")

DATA = os.urandom(200_000)
PHOTO = Address.parse("s3://bucket/in/photo.bin")


@pytest.fixture
def server(monkeypatch):
    """With a bucket, and a client that is patient for a second."""
    import s3fs

    patience = {"connect_timeout": 1, "read_timeout": 1, "retries": {"mode": "standard", "max_attempts": 2}}
    monkeypatch.setattr(stores, "_PATIENCE", 2.0)
    monkeypatch.setitem(stores._SETTINGS, "s3", {**stores._SETTINGS["s3"], "config_kwargs": patience})
    with serve_store() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        PHOTO.write(DATA)
        yield server
        s3fs.S3FileSystem.clear_instance_cache()


def test_what_is_a_store():
    assert is_store("s3://a/b")
    assert is_store("gs://a/b")
    assert not any(map(is_store, ("https://a/b", "file:///a", "a.png", "xs3://a")))


def test_a_store_whose_library_is_missing_is_one_sentence():
    with pytest.raises(MissingExtraError, match="gs:// needs another package"):
        Address("gs", "bucket/a.png").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_there_and_back(server, tmp_path):
    assert PHOTO.read_bytes() == DATA
    PHOTO.fetch(tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA
    assert PHOTO.exists()
    assert not (PHOTO.parent / "other").exists()
    assert PHOTO.parent.is_folder()
    assert [str(one) for one in Address.parse("s3://bucket").folders()] == ["s3://bucket/in"]
    assert list(PHOTO.parent.files(recursive=True)) == [PHOTO]
    assert Address.parse("s3://bucket/*/photo.*").match() == [PHOTO]
    with pytest.raises(WriteError, match="exists already"):
        PHOTO.write(b"other")
    assert PHOTO.read_bytes() == DATA
    PHOTO.attach_note(DATA, {"made": "of this"})
    server.requests.clear()
    note = PHOTO.read_note()
    assert (note.values, note.is_unchanged) == ({"made": "of this"}, True)
    assert "GET /bucket/in/photo.bin" not in server.requests, "its checksum is enough, the object stays where it is"
    with pytest.raises(OutputError, match="bucket for outputs does not exist"):
        Address.parse("s3://nowhere/a").write(b"x")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("fault", [500, 503, "stall", "cut"])
def test_what_goes_wrong_once_is_tried_again(server, tmp_path, fault):
    server.matching = "GET /bucket/in"
    server.faults = [fault]
    PHOTO.fetch(tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA
    assert not server.faults
    if fault != "cut":
        server.matching = "PUT /bucket/out"
        server.faults = [fault]
        Address.parse("s3://bucket/out").write(DATA)
        assert Address.parse("s3://bucket/out").read_bytes() == DATA
        assert not server.faults


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_lost_answer_to_what_was_written_is_no_conflict(server):
    server.matching = "PUT /bucket/out"
    server.faults = ["lost"]
    Address.parse("s3://bucket/out").write(DATA)
    assert Address.parse("s3://bucket/out").read_bytes() == DATA


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("fault", [500, "cut", 403])
def test_what_goes_wrong_for_good_is_one_sentence_and_no_object(server, tmp_path, fault):
    server.matching, server.always = "GET /bucket/in", fault
    with pytest.raises(ReadError, match=r"^cannot be (read|fetched)[^\n]*$"):
        PHOTO.fetch(tmp_path / "copy")
    if fault != "cut":
        server.matching = "PUT /bucket/out"
        with pytest.raises(OutputError if fault == 403 else WriteError, match=r"^(cannot be written|the store)[^\n]*$"):
            Address.parse("s3://bucket/out").write(DATA)
        server.always = None
        assert not Address.parse("s3://bucket/out").exists()
