"""Every recipe takes a step; test_run.py has longer trainings."""

from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from small_recipes import make_photos, make_small
from unblur.training import load_recipe, train
from unblur.weights.checkpoint import read_checkpoint

RECIPES = sorted((ROOT / "recipes").glob("*/*.yaml"))


@pytest.fixture
def photos(tmp_path) -> Path:
    return make_photos(tmp_path)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", RECIPES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_step(path, photos, tmp_path):
    recipe = make_small(photos, yaml.safe_load(path.read_text(encoding="utf-8")))
    small = tmp_path / path.name
    small.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    warnings: list[str] = []
    outcome = train(load_recipe(small), tmp_path / "run", say=lambda _: None, warn=warnings.append)
    assert outcome.step == 1
    assert not warnings
    assert read_checkpoint(outcome.weights).metadata["method"]
