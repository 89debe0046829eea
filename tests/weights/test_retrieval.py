"""Public weights brought into the cache, from every source, by several processes, and used without a network."""

import os
import subprocess
import sys
from hashlib import sha256

import pytest
import torch

import hostile_checkpoints as hostile
import made_weights as made
import trained
from faulty_server import Fault, serve
from unblur.errors import CheckpointError, DownloadError, OutputError
from unblur.methods.catalog import list_entries
from unblur.methods.loading import load_method
from unblur.weights.cache import CACHE_VARIABLE, cache_folder, find_cached
from unblur.weights.download import Patience
from unblur.weights.public import TABLE, public_weights
from unblur.weights.retrieval import MIRROR_VARIABLE, Hooks, find_public, get_weights
from unblur.weights.shipped import find_weights, read_weights, shipped

QUICK = Patience(seconds=0.5, slowest=1_000, pause=0.01)
ONE_OF_MANY = """
import sys
from pathlib import Path
import unblur.weights.public
unblur.weights.public.TABLE = Path(sys.argv[1])
from unblur.weights.retrieval import find_public, get_weights
print(get_weights(find_public("tiny")).sha256)
"""


@pytest.fixture
def server():
    with serve() as running:
        for begin in ("/first", "/second"):
            running.files |= {f"{begin}/{path}": data for path, data in made.PARTS.items()}
            running.files[f"{begin}/w.safetensors"] = made.CONTENT
        yield running


@pytest.fixture(autouse=True)
def table(server, tmp_path, monkeypatch):
    path = made.write_table(tmp_path / "table.toml", [f"{server.address}/first", f"{server.address}/second"])
    monkeypatch.setattr("unblur.weights.public.TABLE", path)
    monkeypatch.delenv(MIRROR_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", "")  # no npm
    return path


def get(name: str = "tiny", **options):
    return get_weights(find_public(name), patience=QUICK, **options)


def names() -> set[str]:
    return {path.name for path in cache_folder().iterdir()}


def test_a_file_is_brought_with_its_licence_and_used_by_name():
    here = get()
    assert here.path.read_bytes() == made.CONTENT
    assert here.sha256 == sha256(made.CONTENT).hexdigest()
    licence = (cache_folder() / "tiny.licence.txt").read_text()
    for text in ("Copyright (c) 2022 nobody", "Permission is hereby granted", "Apache License", "the rest"):
        assert text in licence
    assert names() <= {"tiny.safetensors", "tiny.json", "tiny.licence.txt", "tiny.lock"}
    checkpoint = read_weights("tiny")
    assert checkpoint.name == "tiny"
    assert torch.equal(checkpoint.tensors["conv.bias"], hostile.weights()["conv.bias"])


def test_methods_take_the_name(monkeypatch):
    trained.enter_tiny(monkeypatch)
    with pytest.raises(CheckpointError, match=r"tiny were not downloaded yet.+\(0 MB\).+unblur weights get tiny"):
        load_method("tiny", weights="tiny")
    get()
    with pytest.raises(CheckpointError, match="the weights tiny: is tiny, expected"):
        load_method("nafnet", weights="tiny")


def test_a_method_without_weights_says_how_to_bring_some(monkeypatch):
    monkeypatch.setattr("unblur.weights.public.TABLE", TABLE)
    with pytest.raises(
        CheckpointError, match=r"download public ones \(unblur weights get nafnet-gopro-width32\) or name"
    ):
        load_method("nafnet")
    with pytest.raises(CheckpointError, match=r"none ship with this version; name a file of them"):
        load_method("mprnet")


def test_the_second_time_needs_no_network(server):
    first = get()
    server.requests.clear()
    server.always = Fault(status=500)
    assert get() == first
    assert not server.requests


def test_parts_are_brought_and_converted():
    heard = []
    here = get("parts", hooks=Hooks(heard.append))
    assert here.path.read_bytes() == made.CONTENT
    assert sum(heard) == public_weights()["parts"].bytes
    assert "parts.parts" not in names()


def test_the_next_mirror_is_asked(server):
    server.faults = [Fault(status=404)]
    assert get().source == f"{server.address}/second"


def test_parts_that_were_brought_are_not_brought_again(server):
    server.always = Fault(status=404)
    server.faults = [Fault()]
    with pytest.raises(DownloadError):
        get("parts")
    server.requests.clear()
    server.always = Fault()
    assert get("parts").path.read_bytes() == made.CONTENT
    assert [request.path for request in server.requests] == ["/first/models/b.bin"]


def test_another_server_instead_of_all(server, monkeypatch):
    server.files |= {f"/own{path}": data for path, data in server.files.items()}
    monkeypatch.setenv(MIRROR_VARIABLE, f"{server.address}/own/")
    server.always = Fault(status=404)
    server.faults = [Fault(status=404), Fault()]
    get()
    assert [request.path for request in server.requests] == ["/own/first/w.safetensors", "/own/second/w.safetensors"]


def test_without_any_source_one_sentence_says_what_to_do(server):
    server.always = Fault(status=503)
    with pytest.raises(DownloadError) as caught:
        get()
    told = str(caught.value)
    assert "\n" not in told
    for text in ("in 4 tries", "download w.safetensors (a shop)", sha256(made.CONTENT).hexdigest(), "get tiny --from"):
        assert text in told
    assert len(server.requests) == 8
    assert "tiny.safetensors" not in names()


def test_a_file_of_the_users(tmp_path, server):
    (tmp_path / "mine").write_bytes(made.CONTENT)
    assert get(given=tmp_path / "mine").path.read_bytes() == made.CONTENT
    assert not server.requests
    (tmp_path / "mine").write_bytes(b"other")
    with pytest.raises(DownloadError, match="is another file"):
        get("parts", given=tmp_path / "mine")
    (tmp_path / "mine").write_bytes(made.ARCHIVE)
    assert get("parts", given=tmp_path / "mine").source == str(tmp_path / "mine")


@pytest.fixture
def npm(tmp_path, monkeypatch, server):
    """A program of that name that packs what it is told to; the mirrors have nothing."""
    folder = tmp_path / "bin"
    folder.mkdir()
    server.always = Fault(status=404)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def write(body: str) -> None:
        (folder / "npm").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words\n{body}\n')
        (folder / "npm").chmod(0o755)

    return write


PACK = 'while [ "$1" != --pack-destination ]; do shift; done; printf "{}" > "$2/nobody-parts-1.0.0.tgz"'


def test_npm_packs_the_package(npm, tmp_path):
    npm(PACK.format(made.ARCHIVE.decode()))
    assert get("parts").source == "npm pack @nobody/parts@1.0.0"
    assert (tmp_path / "words").read_text().startswith("pack @nobody/parts@1.0.0 --ignore-scripts --silent ")


@pytest.mark.parametrize("body", ["exit 1", "exit 0", PACK.format("something else"), "kill -9 $$"])
def test_npm_fails(npm, body):
    npm(body)
    with pytest.raises(DownloadError, match=r"get parts --from nobody-parts-1.0.0.tgz"):
        get("parts")
    assert "parts.safetensors" not in names()


def test_a_changed_file_is_noticed_and_brought_again(server):
    here = get()
    here.path.write_bytes(made.CONTENT[:-1] + b"x")
    with pytest.raises(CheckpointError, match="the weights tiny: the file has changed since it was downloaded"):
        find_weights("tiny")
    assert get().path.read_bytes() == made.CONTENT
    assert find_weights("tiny").sha256 == here.sha256


def test_a_file_is_read_again_only_where_size_or_time_differ(monkeypatch):
    here = get()
    facts = here.path.stat()
    os.utime(here.path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    assert find_weights("tiny").sha256 == here.sha256
    # of the same size and time, it is not read; whoever uses it compares the checksum anyway
    here.path.write_bytes(b"x" * len(made.CONTENT))
    os.utime(here.path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    assert find_weights("tiny").path == here.path
    with pytest.raises(CheckpointError, match="the weights tiny: is"):
        read_weights("tiny")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"sha256": 1}', "[" * 9_000])
def test_a_damaged_record_means_that_it_is_not_here(text):
    get()
    (cache_folder() / "tiny.json").write_text(text)
    assert find_cached(find_public("tiny"), cache_folder()) is None
    assert get().path.read_bytes() == made.CONTENT


def test_four_processes_at_once(server, table):
    server.always = Fault(drip=False)
    words = [sys.executable, "-c", ONE_OF_MANY, table]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    running = [
        subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0] * 4, answers
    assert {out.strip() for out, _ in answers} == {sha256(made.CONTENT).hexdigest()}
    assert len(server.requests) == 1


def test_a_cache_that_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(OutputError, match=r"the weights tiny cannot be kept in .+file"):
        get()


def test_there_is_a_line_for_everything():
    with pytest.raises(DownloadError, match="there are no public weights named 'other'; choose one of: tiny, parts"):
        find_public("other")


def test_the_table(monkeypatch):
    """Whole, and no name twice."""
    monkeypatch.setattr("unblur.weights.public.TABLE", TABLE)
    listed = public_weights()
    assert not set(listed) & set(shipped())
    for name, entry in listed.items():
        assert entry.files, name
        assert all(len(file.sha256) == 64 and file.bytes > 0 for file in entry.files), name
        assert all(mirror.startswith("https://") for mirror in entry.mirrors), name
        assert entry.convert or len(entry.files) == 1, name
        assert "Copyright" in entry.licence_text(), name
        assert entry.method in list_entries(), name
