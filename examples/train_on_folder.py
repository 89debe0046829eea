"""Train a network on unpaired photos, a folder of blurry ones and one of sharp ones, and restore a photo with it.

    python examples/train_on_folder.py --blurry my/blurry --sharp my/sharp --steps 600

Without folders it makes small ones. The command line does the same:

    unblur train recipes/neurmap/unpaired-small.yaml --data.train.init_args.blurry '[my/blurry]' ...
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from shaken import shaken_photo

import unblur
from unblur.training import load_recipe, train

RECIPE = Path(__file__).parents[1] / "recipes" / "neurmap" / "unpaired-small.yaml"


def main(words: Sequence[str] | None = None) -> None:
    given = read_options(words)
    made = given.blurry is None or given.sharp is None
    blurry, sharp = make_folders(given.out) if made else (given.blurry, given.sharp)

    # Any setting of a recipe can be changed by its name.
    changes = {
        "data.train.init_args.blurry": f"[{blurry}]",
        "data.train.init_args.sharp": f"[{sharp}]",
        "trainer.max_steps": given.steps,
        "trainer.precision": "32-true",
    }
    if given.quick:
        changes |= {"data.train.init_args.size": 32, "data.batch_size": 1, "trainer.accelerator": "cpu"}
    recipe = load_recipe(RECIPE, [f"--{name}={value}" for name, value in changes.items()])
    result = train(recipe, given.out / "run", say=print, warn=lambda reason: print(f"warning: {reason}"))
    print(f"weights after step {result.step}: {result.weights}")

    # Without descent along the motion (steps=0): it helps only where the motion network has learned to see motion.
    photo = sorted(blurry.iterdir())[0]
    answer = unblur.restore(photo, "neurmap", weights=result.weights, settings={"steps": 0})
    unblur.write_image(answer.image, given.out / "restored.png", overwrite=True)
    print(f"restored: {given.out / 'restored.png'}")


def make_folders(out: Path) -> tuple[Path, Path]:
    """Blurry photos of one thing and sharp ones of another, as in real life."""
    blurry, sharp = out / "blurry", out / "sharp"
    for seed in range(2):
        save(shaken_photo("coffee", side=96 + 16 * seed, kernel_size=9, seed=seed).blurry, blurry / f"{seed}.png")
        save(shaken_photo("chelsea", side=112 - 16 * seed, kernel_size=3, seed=seed).sharp, sharp / f"{seed}.png")
    return blurry, sharp


def save(photo: NDArray[np.float32], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((photo * 255).round().astype(np.uint8)).save(path)


def read_options(words: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--blurry", type=Path, help="folder of blurry photos")
    options.add_argument("--sharp", type=Path, help="folder of sharp photos, of whatever they show")
    options.add_argument("--steps", type=int, default=2, help="600 takes about half an hour on one core")
    options.add_argument("--out", type=Path, default=Path("demo/training"), help="folder for what is written")
    options.add_argument("--quick", action="store_true", help="small crops, for tests")
    return options.parse_args(words)


if __name__ == "__main__":
    main()
