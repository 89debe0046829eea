"""Objectives whose networks learn in turns."""

import csv

import pytest
import torch

from tiny_training import TinyDuel, tiny_recipe, write_recipe
from unblur.training import load_recipe, train
from unblur.training.checkpoints import list_checkpoints, read_training
from unblur.weights.checkpoint import read_checkpoint


@pytest.fixture
def recipe(make_photo, tmp_path):
    """Six steps, a checkpoint after three, and a critic that learns twice as fast."""
    make_photo("photos/a.png")
    made = tiny_recipe(tmp_path / "photos", trainer={"max_steps": 6}, run={"save_every": 3, "validate_every": 6})
    made["run"]["pictures_every"] = 6
    made["model"] |= {"objective": {"class_path": "tiny_training.TinyDuel"}, "rate_factors": {"critic.": 2.0}}
    return write_recipe(tmp_path / "duel.yaml", made)


def run(recipe, folder):
    return train(load_recipe(recipe), folder, say=lambda _: None, warn=pytest.fail)


def rates(checkpoint) -> list[float]:
    return [state["param_groups"][0]["initial_lr"] for state in read_training(checkpoint)["optimizer_states"]]


def test_a_step_is_a_turn_of_each(recipe, tmp_path):
    outcome = run(recipe, tmp_path / "run")
    assert outcome.step == 6
    with (tmp_path / "run" / "log.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert {"judged", "pleased", "image", "loss", "gradient"} <= rows[0].keys()
    newest, before = list_checkpoints(tmp_path / "run" / "checkpoints")
    assert rates(newest) == [0.02, 0.01]
    first, then = (read_training(path)["state_dict"] for path in (before, newest))
    for name in ("objective.critic.weight", "objective.network.weight"):
        assert not torch.equal(first[name], then[name])


def test_a_run_goes_on_bit_for_bit(recipe, tmp_path):
    whole = run(recipe, tmp_path / "whole")
    run(recipe, tmp_path / "cut")
    newest, before = list_checkpoints(tmp_path / "cut" / "checkpoints")
    newest.unlink()
    again = run(recipe, tmp_path / "cut")
    one, other = (read_checkpoint(outcome.weights).tensors for outcome in (whole, again))
    assert all(torch.equal(one[name], other[name]) for name in one)
    ends = [
        read_training(list_checkpoints(tmp_path / name / "checkpoints")[0])["state_dict"] for name in ("whole", "cut")
    ]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    assert before.exists()


def test_the_last_player_is_the_one_that_is_exported(recipe, tmp_path):
    outcome = run(recipe, tmp_path / "run")
    assert read_checkpoint(outcome.weights).tensors.keys() == TinyDuel().network.state_dict().keys()
