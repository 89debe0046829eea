"""How weights take to a method, and where it is told which they were."""

import json
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
import torch

import trained
import unblur
from unblur.benchmarks.options import BenchmarkOptions
from unblur.benchmarks.pair_run import run_pair
from unblur.benchmarks.record import benchmark_record
from unblur.benchmarks.rows import read_rows
from unblur.benchmarks.run import run_benchmark
from unblur.errors import CheckpointError
from unblur.system.run_record import differences
from unblur.weights.checkpoint import read_checkpoint
from unblur.weights.safe_file import write_checkpoint


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """The weights of the method `tiny`, which takes them."""
    trained.enter_tiny(monkeypatch)
    path = tmp_path / "darker.safetensors"
    write_checkpoint(path, trained.tiny_weights(), {"arch": "tiny"})
    return path


def digest(path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def test_weights_by_file_or_as_read(weights):
    blurry = torch.rand(1, 3, 16, 16)
    for given in (weights, str(weights), read_checkpoint(weights)):
        answer = unblur.restore(blurry, "tiny", weights=given)
        assert torch.allclose(answer.image, blurry * trained.SCALE)
        assert answer.facts["weights"] == "darker.safetensors"
        assert answer.facts["weights_sha256"] == digest(weights)


def test_the_answer_about_a_picture_says_it_too(weights):
    answer = unblur.restore(np.full((8, 8), 200, np.uint8), "tiny", weights=weights)
    assert answer.facts["weights_sha256"] == digest(weights)
    assert "weights" not in unblur.restore(np.full((8, 8), 200, np.uint8), "input").facts


def test_wrong_use(weights, monkeypatch):
    with pytest.raises(CheckpointError, match="the method map takes no weights"):
        unblur.load_method("map", weights=weights)
    with pytest.raises(CheckpointError, match="the method map takes no weights"):
        unblur.load_method("map", weights=read_checkpoint(weights))
    with pytest.raises(CheckpointError, match="the method tiny needs weights, and none ship"):
        unblur.load_method("tiny")
    with pytest.raises(TypeError, match="settings and weights go with the name"):
        unblur.restore(torch.rand(1, 3, 8, 8), unblur.load_method("input"), weights=weights)
    trained.enter_tiny(monkeypatch, weights="not-there")
    with pytest.raises(CheckpointError, match="the weights not-there: there is no such file"):
        unblur.load_method("tiny")


def test_another_network_is_named(weights, tmp_path):
    write_checkpoint(tmp_path / "other.safetensors", {"a": torch.ones(2)}, {"arch": "restormer"})
    told = "the weights other.safetensors: is restormer, expected the network of one number; 1 missing, 1 extra"
    with pytest.raises(CheckpointError, match=told):
        unblur.load_method("tiny", weights=tmp_path / "other.safetensors")


def test_command_and_report(weights, make_photo, run, tmp_path):
    photo, report = make_photo(), tmp_path / "report.jsonl"
    ran = run("restore", photo, "--method", "tiny", "--weights", weights, "--report", report)
    assert ran.code == 0
    facts = json.loads(report.read_text())["facts"]
    assert (facts["weights"], facts["weights_sha256"]) == ("darker.safetensors", digest(weights))


def test_resume_redoes_what_other_weights_made(weights, make_photo, run):
    words = ["restore", make_photo(), "--method", "tiny", "--weights", weights, "--resume"]
    assert run(*words).err.endswith("1 done, 0 skipped, 0 failed\n")
    assert run(*words).err.endswith("0 done, 1 skipped, 0 failed\n")
    write_checkpoint(weights, trained.tiny_weights(0.9), {}, overwrite=True)
    ran = run(*words)
    assert "1 restored before with other options" in ran.err
    assert ran.err.endswith("1 done, 0 skipped, 0 failed\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["restore", "photo.png", "--method", "map", "--weights", "w.pth"], "the method map takes no weights"),
        (["restore", "photo.png", "--method", "tiny"], "the method tiny needs weights"),
        (
            ["restore", "photo.png", "--method", "tiny", "--weights", "w.pth"],
            "the weights w.pth: there is no such file",
        ),
        (["benchmark", "levin", "--method", "map", "--weights", "w.pth"], "the method map takes no weights"),
        (["benchmark", "levin", "--methods", "map,tiny", "--weights", "w.pth"], "--weights takes METHOD=NAME"),
        (["benchmark", "levin", "--methods", "map,tiny", "--weights", "tiny=w.pth"], "the weights w.pth: there is no"),
    ],
)
def test_wrong_commands(weights, make_photo, run, tmp_path, monkeypatch, words, told):  # noqa: PLR0917 - fixtures
    make_photo("photo.png")
    monkeypatch.chdir(tmp_path)
    ran = run(*words)
    assert ran.code == 2
    [line] = ran.errors
    assert told in line


@pytest.fixture
def options(weights, make_photo, tmp_path) -> BenchmarkOptions:
    make_photo("a.png")
    table = tmp_path / "pairs.csv"
    table.write_text("blurry,sharp\na.png,a.png\n")
    return BenchmarkOptions("pairs", "tiny", "plain", tmp_path / "out", weights=str(weights), pair_list=table)


def test_benchmark_rows_name_the_weights(options, weights):
    row = run_pair(options, 0)
    assert row.error == ""
    assert (row.weights, row.weights_sha256) == ("darker.safetensors", digest(weights))


def test_a_run_does_not_go_on_with_other_weights(options, weights):
    before = benchmark_record([options], ["a"])
    assert differences(before, benchmark_record([options], ["a"])) == []
    write_checkpoint(weights, trained.tiny_weights(0.9), {}, overwrite=True)
    [difference] = differences(before, benchmark_record([options], ["a"]))
    assert difference.startswith("weights.tiny was ")


def test_rows_of_methods_without_weights_have_none(options):
    run_benchmark(replace(options, method="input", weights=None))
    [row] = read_rows(options.out / "rows.csv")
    assert (row.error, row.weights, row.weights_sha256) == ("", "", "")
