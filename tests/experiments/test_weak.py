"""The ablation of weak supervision as a whole, as short as can be."""

import pytest
import torch

from planted import plant, shake
from unblur.datasets.pairs import Pair
from unblur.errors import SettingsError
from unblur.experiments import weak_ablation
from unblur.experiments.weak_ablation import ARMS, run
from unblur.experiments.weak_settings import AblationSettings


@pytest.fixture
def pairs(monkeypatch):
    """One planted pair in the place of a data set."""
    planted = plant(shake(9, 3), (104, 100))
    pair = Pair(name="planted", blurry=planted.blurry, sharp=planted.sharp, light="encoded")
    monkeypatch.setattr(weak_ablation, "open_dataset", lambda name, data: [pair])


def test_who_knows_the_truth_helps(pairs):
    outcome = run(AblationSettings(crop=88, teachers="oracle", preset="smoke"), lambda _: None)
    fit, taught = outcome.tables[0].rows
    assert (fit[:2], taught[:2]) == (["oracle", "fit"], ["oracle", "fit, weak"])
    assert taught[2] > fit[2]
    for row in (fit, taught):
        assert row[4] >= row[2], "the best step is at least as good as the answer"
        assert row[5] == 50
    assert outcome.comparisons[0].claim == "gain by the image of oracle"
    assert set(outcome.figures) == {"curves"}


@pytest.mark.slow
def test_every_arm_has_its_row(pairs):
    said = []
    rows = run(AblationSettings(crop=88, teachers="identity", preset="smoke"), said.append).tables[0].rows
    assert [row[1] for row in rows] == list(ARMS)
    assert len(said) == len(rows)
    assert torch.tensor([row[2:] for row in rows]).isfinite().all()


def test_settings_are_checked():
    with pytest.raises(SettingsError, match="seeds takes a number from 1 up, not 0"):
        AblationSettings(seeds=0)
