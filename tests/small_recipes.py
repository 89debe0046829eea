"""The recipes made small enough for tests: one step over a few photos."""

import os
import shutil
from pathlib import Path

from conftest import photo_of

SIDE = 64
"""Of the crops in pixels; the windows of MS-SSIM and the scales of the networks need no fewer."""


def make_photos(folder: Path) -> Path:
    """Photos for every stream of the recipes below a folder; gives the folder of the sharp ones."""
    photos = folder / "photos"
    photos.mkdir()
    for number in range(3):
        photo_of((420, 400), number).save(photos / f"{number}.png")
    for part in ("blurry", "sharp"):
        shutil.copytree(photos, folder / "neurmap" / "validation" / part)
    return photos


def make_small(photos: Path, recipe: dict) -> dict:
    """The recipe with its streams over these photos, small, and without the weights that an earlier run makes."""
    start = recipe["model"]["objective"].get("init_args", {})
    for name in [name for name in start if name.endswith("_weights")]:
        start[name] = ""
    # the checkpoints of the full one would have 800 MB; the counts of its weights have tests of their own
    if start.get("size") == "full":
        start["size"] = "reduced"
    for name in ("train", "validation"):
        if stream := recipe["data"].get(name):
            shrink(stream, photos)
    recipe["data"] |= {"workers": 0, "batch_size": 1, "validation_samples": 1}
    recipe["trainer"] |= {"max_steps": 1, "accelerator": "cpu", "devices": 1, "precision": "32-true"}
    recipe["run"] = recipe.get("run", {}) | {"validate_every": 1, "pictures_every": 1, "log_every": 1}
    return recipe


def shrink(stream: dict, photos: Path) -> None:
    """The stream, and those that it is made of, over these photos and with small crops."""
    settings = stream["init_args"]
    mixed = [part.get("stream") for part in settings.get("parts", [])]
    for inner in (*settings.values(), *mixed):
        if isinstance(inner, dict) and "class_path" in inner:
            shrink(inner, photos)
    for name in {"photos", "blurry", "sharp"} & settings.keys():
        settings[name] = [os.fspath(photos)]
    if "dataset" in settings:  # pairs of one photo each, in the form that any set of one's own may have
        settings |= {"dataset": "neurmap", "root": os.fspath(photos.parent)}
    if "size" in settings or "photos" in settings:
        settings["size"] = min(SIDE, settings.get("size", SIDE))
