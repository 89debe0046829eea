"""Every recipe can be read; those that have parts of their own take a step. test_run.py has longer trainings."""

import re
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from small_recipes import make_photos, make_small
from unblur.training import load_recipe, train
from unblur.weights.checkpoint import read_checkpoint

RECIPES = sorted((ROOT / "recipes").glob("*/*.yaml"))


def parts(path: Path) -> set[str]:
    """Names of everything that a recipe is made of: objective, streams, optimiser."""
    return set(re.findall(r"class_path: (\S+)", path.read_text(encoding="utf-8")))


def of_parts_of_their_own() -> set[Path]:
    """The recipes that have a part which none before has, the shortest trainings first."""
    seen: set[str] = set()
    chosen: set[Path] = set()
    for path in sorted(RECIPES, key=lambda path: ("smoke" not in path.stem, "small" not in path.stem, path)):
        if not parts(path) <= seen:
            chosen.add(path)
            seen |= parts(path)
    return chosen


SHORT = of_parts_of_their_own()
OTHERS = set(RECIPES) - SHORT


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
@recipes(SHORT)
def test_a_step(small, tmp_path):
    check_that_it_takes_a_step(small, tmp_path / "run")


@recipes(OTHERS)
def test_the_others_can_be_read(small):
    assert load_recipe(small).data


@pytest.mark.slow
@recipes(OTHERS)
def test_a_step_of_the_others(small, tmp_path):
    check_that_it_takes_a_step(small, tmp_path / "run")
