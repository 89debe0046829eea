"""`arch_config`: what a file says of its network is checked before anything is built from it."""

import json

import pytest

from unblur.errors import CheckpointError
from unblur.methods.catalog import list_entries
from unblur.methods.loading import load_method
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.config import read_config
from unblur.weights.safe_file import write_checkpoint
from unblur.weights.shipped import read_weights, shipped

DEFAULTS = {"skip": True, "width": 32, "kind": "plain"}
BROKEN = ["{", "", "[]", "null", "true", "1e999", '"skip"', '{"a":' * 5_000, "[" * 50_000, "\x00", "9" * 10_000]
OTHER_KINDS = ['{"skip": "no"}', '{"skip": 0}', '{"skip": null}', '{"width": true}', '{"width": 32.0}', '{"kind": []}']


def read(text: str):
    return read_config(Checkpoint("w", {}, {"arch_config": text}), DEFAULTS)


def test_what_is_not_given_is_the_default():
    assert read('{"width": 64}') == {"skip": True, "width": 64, "kind": "plain"}
    assert read_config(Checkpoint("w", {}), DEFAULTS) == DEFAULTS


@pytest.mark.parametrize("text", [*BROKEN, *OTHER_KINDS, '{"other": 1}', json.dumps({"n" * 90_000: 1})])
def test_anything_else_is_refused_in_a_sentence(text):
    with pytest.raises(CheckpointError, match="arch_config") as caught:
        read(text)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", ["golf", "neurmap", "dublid", "kernel-space"])
@pytest.mark.parametrize("text", [*BROKEN, '{"skip": "no", "centred": 1, "channels": "16", "window": "256"}'])
def test_methods_refuse_it(name, text):
    entry = shipped()[name]
    good = read_weights(name)
    with pytest.raises(CheckpointError, match=r"arch_config") as caught:
        load_method(entry.method, weights=Checkpoint("w", good.tensors, {"arch_config": text}))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("window", [0, -256, 10**9])
def test_impossible_windows(window):
    good = read_weights("kernel-space")
    config = json.loads(good.metadata["arch_config"]) | {"window": window}
    with pytest.raises(CheckpointError, match="asks for windows of"):
        load_method("kernel-space", weights=Checkpoint("w", good.tensors, {"arch_config": json.dumps(config)}))


def test_the_command_names_the_file(run, tmp_path, make_photo):
    """Also where the config is nested more deeply than Python can read."""
    path = tmp_path / "w.safetensors"
    write_checkpoint(path, read_weights("golf").tensors, {"arch_config": "[" * 50_000})
    ran = run("restore", make_photo(), "--method", "golf", "--weights", path)
    assert ran.code == 2
    [line] = ran.errors
    assert path.name in line
    assert "arch_config" in line


def test_every_method_with_weights_of_its_own_is_tested_here():
    assert {entry.weights for entry in list_entries().values() if entry.weights} == {
        "auto",
        "golf",
        "neurmap",
        "dublid",
        "kernel-space",
    }
