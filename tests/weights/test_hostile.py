"""Code in checkpoints never runs, by whatever way they come in (goal F1); no reader can be talked into trust."""

import subprocess
import sys
from pathlib import Path

import pytest

import hostile_checkpoints as hostile
import trained
import unblur
from unblur.benchmarks.options import BenchmarkOptions
from unblur.benchmarks.run import run_benchmark
from unblur.errors import CheckpointError
from unblur.training.checkpoints import read_training
from unblur.weights.checkpoint import read_checkpoint
from unblur.weights.shipped import read_weights

NAMES = sorted(hostile.hostile_files(Path("canary")))
FEW = ["bare_eval.pkl", "header.safetensors", "legacy_system.ckpt", "objects.npz", "torchscript.pt", "zip_exec.pth"]
"""One of each form, for the commands: they read with what `test_nothing_runs` tries on all of them."""
TRUSTING = """
import io, pickle, sys, warnings
from pathlib import Path
import numpy, torch
warnings.simplefilter("ignore")
folder, canary = Path(sys.argv[1]), Path(sys.argv[2])
readers = {
    ".pth": lambda path: torch.load(path, weights_only=False),
    ".ckpt": lambda path: torch.load(path, weights_only=False),
    ".pkl": lambda path: pickle.loads(path.read_bytes()),
    ".npy": lambda path: numpy.load(path, allow_pickle=True),
    ".npz": lambda path: dict(numpy.load(path, allow_pickle=True)),
}
for path in sorted(folder.iterdir()):
    canary.unlink(missing_ok=True)
    try:
        readers[path.suffix](path)
    except Exception:
        pass
    print(path.name, canary.exists())
"""
HARMLESS = {"build", "newobj", "newobj_ex", "persid", "persid_call", "ext", "attributes", "dotted", "admitted_prefix"}
"""Kinds of instruction that need more than one file to do harm; refused all the same."""


@pytest.fixture(autouse=True)
def _tiny(monkeypatch, tmp_path):
    trained.enter_tiny(monkeypatch)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def write(tmp_path):
    """Writes one of the hostile files, aimed at `canary` beside it, and returns its path."""

    files = hostile.hostile_files(tmp_path / "canary")

    def write_file(name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(files[name])
        return path

    return write_file


def ways(photo: Path, out: Path):
    """Every way a checkpoint gets in from Python."""
    return {
        "read": read_checkpoint,
        "find": read_weights,
        "method": lambda path: unblur.load_method("tiny", weights=path),
        "restore": lambda path: unblur.restore(photo, "tiny", weights=path),
        "resume": read_training,
        "benchmark": lambda path: run_benchmark(BenchmarkOptions("levin", "tiny", "shift", out, weights=str(path))),
    }


@pytest.mark.parametrize("name", NAMES)
def test_nothing_runs(write, make_photo, tmp_path, name):
    path = write(name)
    for way in ways(make_photo(), tmp_path / "out").values():
        with pytest.raises(CheckpointError) as caught:
            way(path)
        assert_clean(str(caught.value))
        assert not (tmp_path / "canary").exists()


def assert_clean(sentence: str) -> None:
    """One line of plain words that advises nobody to trust the file."""
    assert "\n" not in sentence
    assert 10 < len(sentence) < 300
    assert not any(word in sentence.lower() for word in ("weights_only", "trust", "add_safe_globals", "allow_pickle"))


@pytest.mark.parametrize(
    "words",
    [
        ["weights", "show", "FILE"],
        ["weights", "convert", "FILE", "new.safetensors"],
        ["restore", "photo.png", "--method", "tiny", "--weights", "FILE"],
        ["restore", "photo.png", "--method", "tiny", "--weights", "FILE", "--jobs", "2", "--resume"],
        ["benchmark", "levin", "--method", "tiny", "--weights", "FILE", "--out", "runs"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_commands_refuse_in_one_line(write, make_photo, run, tmp_path, words):
    make_photo("photo.png")
    for name in FEW:
        path = write(name)
        ran = run(*[str(path) if word == "FILE" else word for word in words])
        assert ran.code == 2
        [line] = ran.errors
        assert f"the weights {path}: " in line
        assert_clean(line)
    assert not (tmp_path / "canary").exists()
    assert not (tmp_path / "new.safetensors").exists()


def test_debug_advises_no_trust_either(write, run):
    """torch's own error recommends unsafe loading; no traceback may pass that on."""
    ran = run("weights", "show", write("zip_admitted_prefix.pth"), "--debug")
    assert ran.code == 2
    assert "weights_only" not in ran.err


def test_these_files_are_hostile(tmp_path):
    """Readers that trust files run what is in them: otherwise the tests above would prove nothing."""
    folder, canary = tmp_path / "files", tmp_path / "canary"
    folder.mkdir()
    for name, data in hostile.hostile_files(canary).items():
        if name.endswith((".pth", ".ckpt", ".pkl", ".npy", ".npz")):
            (folder / name).write_bytes(data)
    ran = subprocess.run([sys.executable, "-c", TRUSTING, folder, canary], capture_output=True, text=True, check=True)
    verdicts = dict(line.split() for line in ran.stdout.splitlines())
    dangerous = {name for name, verdict in verdicts.items() if verdict == "True"}
    kinds = {Path(name).stem.split("_", 1)[1] for name in dangerous if name.startswith(("zip_", "legacy_", "bare_"))}
    assert len(kinds) >= 17
    expected = {f"bare_{kind}.pkl" for kind in hostile.instructions(str(canary)) if kind not in HARMLESS}
    assert expected <= dangerous
