"""The blocks of a page, and photos that stand for those that their lines name."""

import os
import re
import shlex
from pathlib import Path

import numpy as np
from PIL import Image

from conftest import photo_of
from made_raw import dng, scene
from running_server import photo_bytes
from unblur.methods.neurmap.model import Neurmap
from unblur.weights.safe_file import write_checkpoint

SHELLS = ("sh", "shell", "bash", "console")
RECIPES = Path(__file__).parents[1] / "recipes"
TWO_STEPS = (
    "--trainer.max_steps 2 --trainer.accelerator cpu --trainer.precision 32-true "
    "--data.train.init_args.size 32 --data.batch_size 1"
)
WITH_OTHER_VALUES = {"-o", "--output", "--report", "--save-kernel", "--out", "--gallery"}


def blocks_of(page: Path) -> list[tuple[str, str]]:
    """Language and text of each block that has a language."""
    return re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def unblur_lines(language: str, text: str) -> list[str]:
    """The lines of a block that call the program, alone or in a pipeline; none of a block that is not a shell's."""
    if language not in SHELLS:
        return []
    lines = re.sub(r"\\\n|(?<=\|)\n", " ", text).splitlines()
    calls = (call.removeprefix("$ ").strip() for line in lines for call in line.split(" | "))
    return [call.removesuffix(" |") for call in calls if call.startswith("unblur ")]


def words_of(line: str) -> list[str]:
    """The words after `unblur`."""
    return shlex.split(line, comments=True)[1:]


def place_photo(name: str) -> None:
    """A photo, or a folder of two, under a name that a page takes for granted.

    Too small for a search of seconds, which other tests make: here the command lines are tested.
    """
    for path in [Path(name)] if Path(name).suffix else [Path(name) / "one.jpg", Path(name) / "two.png"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() == ".dng":
            dng(scene(24, 32), path)
        elif "*" not in path.name and not path.exists():
            photo_of((24, 20)).save(path)


def place_kernel(name: str) -> None:
    Image.fromarray(np.full((3, 5), 255, np.uint8)).save(name)


def place_weights(name: str) -> None:
    """Untrained ones of the method `neurmap`."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    write_checkpoint(Path(name), Neurmap().state_dict(), {})


def two_steps(line: str) -> str:
    """An `unblur train` line of two steps, with its folders: three blurry photos, five sharp ones, of all sizes."""
    for name in (word.strip("[]") for word in shlex.split(line) if word.startswith("[")):
        Path(name).mkdir(parents=True, exist_ok=True)
        for number in range(3 if name.endswith("blurry") else 5):
            photo_of((96 - 16 * number, 40 + 8 * number), number).save(Path(name) / f"{number}.jpg")

    return f"{line.replace('recipes/', f'{RECIPES}{os.sep}')} {TWO_STEPS}"


def input_of(words: list[str]) -> bytes:
    """What the line is to read from standard input, where it does."""
    if "--files-from" in words:
        place_photo("photo.jpg")
        return b"photo.jpg\0"
    return photo_bytes() if "-" in words else b""


def place_what_is_named(words: list[str]) -> None:
    """The inputs of an `unblur restore` line."""
    for before, word in zip(["", *words], words, strict=False):
        if before == "--kernel":
            place_kernel(word)
        elif before == "--weights":
            place_weights(word)
        elif (
            before not in WITH_OTHER_VALUES and re.search(r"\.(jpe?g|png|tiff?|webp|DNG)$|/$", word) and "*" not in word
        ):
            place_photo(word)
