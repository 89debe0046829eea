"""The blocks of a page, and photos that stand for those that their lines name."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

from conftest import photo_of
from unblur.methods.neurmap.model import Neurmap
from unblur.weights.safe_file import write_checkpoint

SHELLS = ("sh", "shell", "bash", "console")
WITH_OTHER_VALUES = {"-o", "--output", "--report", "--save-kernel", "--out", "--gallery"}


def blocks_of(page: Path) -> list[tuple[str, str]]:
    """Language and text of each block that has a language."""
    return re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def unblur_lines(language: str, text: str) -> list[str]:
    """The lines of a block that call the program; none of a block in another language than a shell's."""
    if language not in SHELLS:
        return []
    lines = (line.removeprefix("$ ").strip() for line in text.replace("\\\n", " ").splitlines())
    return [line for line in lines if line.startswith("unblur ")]


def place_photo(name: str) -> None:
    """A photo, or a folder of two, under a name that a page takes for granted.

    Too small for a search of seconds, which other tests make: here the command lines are tested.
    """
    for path in [Path(name)] if Path(name).suffix else [Path(name) / "one.jpg", Path(name) / "two.png"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        if "*" not in path.name and not path.exists():
            photo_of((24, 20)).save(path)


def place_kernel(name: str) -> None:
    Image.fromarray(np.full((3, 5), 255, np.uint8)).save(name)


def place_weights(name: str) -> None:
    """Untrained ones of the method `neurmap`."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    write_checkpoint(Path(name), Neurmap().state_dict(), {})


def place_folders(words: list[str]) -> None:
    """The folders of an `unblur train` line: three blurry photos, five sharp ones, all of different sizes."""
    for name in (word.strip("[]") for word in words if word.startswith("[")):
        Path(name).mkdir()
        for number in range(3 if name == "blurry" else 5):
            photo_of((96 - 16 * number, 40 + 8 * number), number).save(Path(name) / f"{number}.jpg")


def place_what_is_named(words: list[str]) -> None:
    """The inputs of an `unblur restore` line."""
    for before, word in zip(["", *words], words, strict=False):
        if before == "--kernel":
            place_kernel(word)
        elif before == "--weights":
            place_weights(word)
        elif before not in WITH_OTHER_VALUES and re.search(r"\.(jpe?g|png|tiff?|webp)$|/$", word) and "*" not in word:
            place_photo(word)
