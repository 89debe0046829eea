"""Every recipe takes two steps."""

import os
import shutil
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, photo_of
from unblur.training import load_recipe, train
from unblur.weights.checkpoint import read_checkpoint

RECIPES = sorted((ROOT / "recipes").glob("*/*.yaml"))


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        photo_of((420, 400), number).save(folder / f"{number}.png")
    for part in ("blurry", "sharp"):
        shutil.copytree(folder, tmp_path / "neurmap" / "validation" / part)
    return folder


def over(photos: Path, recipe: dict) -> dict:
    """The recipe with its streams over these photos, small, and without the weights that an earlier run makes."""
    start = recipe["model"]["objective"].get("init_args", {})
    for name in [name for name in start if name.endswith("_weights")]:
        start[name] = ""
    if (
        start.get("size") == "full"
    ):  # its checkpoints would be of 800 MB; the counts of its weights have tests of their own
        start["size"] = "reduced"
    for name in ("train", "validation"):
        if stream := recipe["data"].get(name):
            shrink(stream, photos)
    recipe["data"] |= {"workers": 0, "batch_size": 1, "validation_samples": 1}
    recipe["trainer"] |= {"max_steps": 2, "accelerator": "cpu", "devices": 1, "precision": "32-true"}
    recipe["run"] = recipe.get("run", {}) | {"validate_every": 2, "pictures_every": 2, "log_every": 1}
    return recipe


def shrink(stream: dict, photos: Path) -> None:
    """The stream, and those that it is made of, over these photos and with small crops."""
    settings = stream["init_args"]
    for inner in settings.values():
        if isinstance(inner, dict) and "class_path" in inner:
            shrink(inner, photos)
    for name in {"photos", "blurry", "sharp"} & settings.keys():
        settings[name] = [os.fspath(photos)]
    if "dataset" in settings:  # pairs of one photo each, in the form that any set of one's own may have
        settings |= {"dataset": "neurmap", "root": os.fspath(photos.parent)}
    if "size" in settings or "photos" in settings:
        settings["size"] = min(96, settings.get("size", 96))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", RECIPES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_two_steps(path, photos, tmp_path):
    recipe = over(photos, yaml.safe_load(path.read_text(encoding="utf-8")))
    small = tmp_path / path.name
    small.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    warnings: list[str] = []
    outcome = train(load_recipe(small), tmp_path / "run", say=lambda _: None, warn=warnings.append)
    assert outcome.step == 2
    assert not warnings
    assert read_checkpoint(outcome.weights).metadata["method"]
