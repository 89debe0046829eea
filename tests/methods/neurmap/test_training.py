"""Unpaired photos: runs from the recipe, and runs that were cut."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from conftest import ROOT
from unblur.training import load_recipe, train
from unblur.training.checkpoints import list_checkpoints, read_training
from unblur.weights.checkpoint import read_checkpoint

RECIPE = ROOT / "recipes" / "neurmap" / "unpaired-small.yaml"


@pytest.fixture
def words(make_photo, tmp_path) -> list[str]:
    """Three blurry photos and five sharp ones, all of different sizes, one smaller than the crops."""
    for number in range(3):
        make_photo(f"my/blurry/{number}.jpg", size=(40 + 8 * number, 50), seed=number)
    for number in range(5):
        make_photo(f"my/sharp/{number}.png", size=(60, 20 + 12 * number), seed=10 + number)
    settings = {
        "data.train.init_args.blurry": json.dumps([str(tmp_path / "my/blurry")]),
        "data.train.init_args.sharp": json.dumps([str(tmp_path / "my/sharp")]),
        "data.train.init_args.size": 32,
        "data.batch_size": 1,
        "model.objective.init_args.fixed": "[]",
        "trainer.precision": "32-true",
        "trainer.accelerator": "cpu",
        "run.save_every": 1,
    }
    return [f"--{name}={value}" for name, value in settings.items()]


def run(words: list[str], folder: Path, steps: int) -> dict[str, torch.Tensor]:
    """The exported weights."""
    recipe = load_recipe(RECIPE, [*words, f"--trainer.max_steps={steps}"])
    outcome = train(recipe, folder, say=lambda _: None, warn=pytest.fail)
    assert outcome.step == steps
    return dict(read_checkpoint(outcome.weights).tensors)


def newest(folder: Path) -> dict:
    return read_training(list_checkpoints(folder / "checkpoints")[0])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_that_was_cut_ends_as_if_it_had_not_been(words, tmp_path):
    """All three networks, their optimisers and the pool of maps, bit for bit."""
    whole = run(words, tmp_path / "whole", 2)
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    last, before = list_checkpoints(tmp_path / "cut" / "checkpoints")
    last.unlink()
    (tmp_path / "cut" / "neurmap-unpaired.safetensors").unlink()
    again = run(words, tmp_path / "cut", 2)
    assert before.exists()
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    ends = [newest(tmp_path / name) for name in ("whole", "cut")]
    weights = [end["state_dict"] for end in ends]
    assert {name.split(".")[1] for name in weights[0]} >= {"network", "discriminator", "pool"}
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    moments = [moments_of(end) for end in ends]
    assert len(moments[0]) == 3
    assert all(torch.equal(one, other) for one, other in zip(*map(flat, moments), strict=True))


def moments_of(end: dict) -> list[dict]:
    return [state["state"] for state in end["optimizer_states"]]


def flat(moments: list[dict]) -> list[torch.Tensor]:
    return [value for state in moments for entry in state.values() for value in entry.values()]
