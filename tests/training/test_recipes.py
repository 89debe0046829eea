"""Every recipe can be read; those for a processor take a step. test_run.py has longer trainings."""

from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from small_recipes import make_photos, make_small
from unblur.training import load_recipe, train
from unblur.weights.checkpoint import read_checkpoint

RECIPES = sorted((ROOT / "recipes").glob("*/*.yaml"))
WITH_SMALL_ONES = {path for path in RECIPES if path.with_stem(f"{path.stem}-small") in RECIPES}
WITH_SMALL_ONES |= {path for path in RECIPES if f"{path.parent.name}/{path.stem}" == "neurmap/semi-small"}
"""Recipes of the same parts as a small one, or as `smoke`, only longer and with larger batches."""


@pytest.fixture
def small(request, tmp_path) -> Path:
    """The recipe of the parameter, made small."""
    path = request.param
    recipe = make_small(make_photos(tmp_path), yaml.safe_load(path.read_text(encoding="utf-8")))
    small = tmp_path / path.name
    small.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return small


def recipes(paths: set[Path]) -> pytest.MarkDecorator:
    names = [f"{path.parent.name}/{path.stem}" for path in sorted(paths)]
    return pytest.mark.parametrize("small", sorted(paths), ids=names, indirect=True)


def check_that_it_takes_a_step(small: Path, folder: Path) -> None:
    warnings: list[str] = []
    outcome = train(load_recipe(small), folder, say=lambda _: None, warn=warnings.append)
    assert outcome.step == 1
    assert not warnings
    assert read_checkpoint(outcome.weights).metadata["method"]


@pytest.mark.timeout(600)
@recipes(set(RECIPES) - WITH_SMALL_ONES)
def test_a_step(small, tmp_path):
    check_that_it_takes_a_step(small, tmp_path / "run")


@recipes(WITH_SMALL_ONES)
def test_longer_ones_can_be_read(small):
    assert load_recipe(small).data


@pytest.mark.slow
@recipes(WITH_SMALL_ONES)
def test_a_step_of_longer_ones(small, tmp_path):
    check_that_it_takes_a_step(small, tmp_path / "run")
