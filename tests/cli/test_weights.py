"""`unblur weights`."""

import re
import subprocess
import sys

import pytest
import torch

import hostile_checkpoints as made
from faulty_server import serve
from made_weights import CONTENT, write_table
from unblur.weights.checkpoint import read_checkpoint
from unblur.weights.public import public_weights
from unblur.weights.safe_file import write_checkpoint
from unblur.weights.shipped import shipped


@pytest.fixture(autouse=True)
def _wide(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    for name, data in made.good_files().items():
        (tmp_path / name).write_bytes(data)


def test_list(run):
    ran = run("weights", "list")
    assert ran.code == 0
    listed = [line.split()[0] for line in ran.out.decode().splitlines() if line and not line.startswith(" ")]
    wanted = ["ships", *shipped(), "public", *public_weights(), "Public", "Give"]
    assert listed == wanted


def test_list_says_what_each_is_and_whether_it_is_here(run, tmp_path, monkeypatch):
    monkeypatch.setattr("unblur.weights.public.TABLE", write_table(tmp_path / "table.toml", []))
    (tmp_path / "w.safetensors").write_bytes(CONTENT)
    assert run("weights", "get", "tiny", "--from", "w.safetensors").code == 0
    told = run("weights", "list").out.decode()
    assert re.search(r"^tiny +tiny +0 MB +two layers +yes", told, re.MULTILINE)
    assert re.search(r"^parts +tiny +0 MB +two layers +no", told, re.MULTILINE)
    for text in ("trained on nothing", "printed: 1 dB", "licence: MIT: the layers"):
        assert text in told


def test_get(run, tmp_path, monkeypatch):
    """From a server, then without one; then shown and converted by name."""
    with serve() as server:
        server.files["/first/w.safetensors"] = CONTENT
        table = write_table(tmp_path / "table.toml", [f"{server.address}/first"])
        monkeypatch.setattr("unblur.weights.public.TABLE", table)
        ran = run("weights", "get", "tiny")
        assert ran.code == 0
        assert re.search(r"^tiny: .+tiny\.safetensors, its licence beside it$", ran.err, re.MULTILINE)
    assert run("weights", "get", "tiny").code == 0
    assert "3 with 124 numbers" in run("weights", "show", "tiny").out.decode()
    assert run("weights", "convert", "tiny", "new.safetensors").code == 0
    assert "ships with unblur" in run("weights", "get", "golf").err


def test_get_without_a_server(run, tmp_path, monkeypatch):
    monkeypatch.setattr("unblur.weights.public.TABLE", write_table(tmp_path / "t.toml", ["http://127.0.0.1:9/a"]))
    for name, told in {
        "tiny": "cannot be reached; download w.safetensors (a shop) by other means",
        "other": "there are no public weights named 'other'; choose one of: tiny, parts",
    }.items():
        ran = run("weights", "get", name)
        assert ran.code == 2
        [line] = ran.errors
        assert told in line
    [line] = run("weights", "show", "tiny").errors
    assert "the weights tiny were not downloaded yet; get them (0 MB) with: unblur weights get tiny" in line


def test_show(run):
    ran = run("weights", "show", "metadata.safetensors")
    told = ran.out.decode()
    assert ran.code == 0
    for text in ("tiny", "3 with 124 numbers", read_checkpoint("metadata.safetensors").sha256, "conv.weight"):
        assert text in told
    assert "4x3x3x3  float32" in told


def test_show_escapes_what_a_terminal_would_obey(run, tmp_path):
    (tmp_path / "w.pth").write_bytes(made.saved({"a\x1b[31m\n": torch.ones(1)}))
    told = run("weights", "show", "w.pth").out.decode()
    assert "a\\x1b[31m\\n" in told
    assert "\x1b" not in told


def test_convert(run):
    ran = run("weights", "convert", "parallel.ckpt", "new.safetensors")
    assert ran.code == 0
    assert ran.err == "new.safetensors: 3 tensors, of an unknown architecture\n"
    new, old = read_checkpoint("new.safetensors"), read_checkpoint("parallel.ckpt")
    assert new.metadata == {
        "format_version": "1",
        "converted_from": f"parallel.ckpt (sha256 {old.sha256})",
    }
    for name, tensor in made.weights().items():
        assert torch.equal(new.tensors[name], tensor)


def test_convert_keeps_what_a_file_says_of_itself(run):
    run("weights", "convert", "metadata.safetensors", "new.safetensors")
    assert read_checkpoint("new.safetensors").metadata["method"] == "none"


@pytest.mark.parametrize("name", shipped())
def test_convert_recognises_what_ships(run, name):
    ran = run("weights", "convert", name, "new.safetensors")
    assert ran.code == 0
    assert ran.err.endswith(f" tensors, {read_checkpoint('new.safetensors').metadata['arch']}\n")


def test_long_names_are_cut(run, tmp_path):
    """Names and metadata as long as a file may have them, in every message and listing."""
    tensors = {"n" * 1_000: torch.ones(1)}
    write_checkpoint(tmp_path / "w.safetensors", tensors, {"arch": "m" * 100_000, "arch_config": "c" * 100_000})
    assert len(run("weights", "show", "w.safetensors").out) < 10_000
    ran = run("weights", "convert", "w.safetensors", "new.safetensors")
    assert len(ran.err) < 300
    [line] = run("restore", "w.safetensors", "--method", "nafnet", "--weights", "w.safetensors").errors
    assert len(line) < 600


def test_convert_joins_the_parts_of_a_network(run):
    ran = run("weights", "convert", "plain.pth", "legacy.pkl", "new.safetensors")
    assert ran.code == 0
    names = set(read_checkpoint("new.safetensors").tensors)
    assert names == {f"{part}.{name}" for part in ("plain", "legacy") for name in made.weights()}


def test_convert_official_dublid(run, data_folder, tmp_path):
    source = data_folder.parent / "weights" / "dublid" / "16channel_10layer.ckpt"
    if not source.exists():
        pytest.skip("no official weights beside the shared data")
    assert run("weights", "convert", source, "dublid.safetensors").code == 0
    new = read_checkpoint("dublid.safetensors")
    assert new.metadata["arch"] == "dublid"
    for name, tensor in read_checkpoint(source).tensors.items():
        assert torch.equal(new.tensors[name], tensor)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show", "missing"], "the weights missing: there is no such file, and no weights of that name"),
        (["convert", "plain.pth"], "IN OUT"),
        (["convert", "plain.pth", "new.pth"], "new.pth: the name of the converted file ends in .safetensors"),
        (["convert", "plain.pth", "plain.safetensors"], "plain.safetensors: exists already"),
        (["convert", "plain.pth", "no/new.safetensors"], "no/new.safetensors: the output folder does not exist"),
        (["convert", "plain.pth", "plain.safetensors", "new.safetensors"], "the same name: plain, plain"),
    ],
)
def test_wrong_use_is_one_line(run, words, told):
    ran = run("weights", *words)
    assert ran.code == 2
    [line] = ran.errors
    assert told in line


@pytest.mark.parametrize("words", [["weights", "--help"], ["weights", "list"], ["weights", "show", "missing"]])
def test_cheap_answers_leave_torch_alone(words):
    code = f"import sys; from unblur.cli.main import main; main({words!r}); print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "False"
