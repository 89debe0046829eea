"""The README is right: its Python and shell blocks run, on small photos that stand for those it names."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import photo_of
from unblur.methods.neurmap.model import Neurmap
from unblur.weights.safe_file import write_checkpoint

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language in ("python", "py")]
SHELL = [
    line.removeprefix("$ ").strip()
    for language, text in BLOCKS
    if language in ("sh", "shell", "bash", "console")
    for line in text.replace("\\\n", " ").splitlines()
    if line.removeprefix("$ ").startswith("unblur ")
]
TWO_STEPS = (
    "--trainer.max_steps 2 --trainer.accelerator cpu --trainer.precision 32-true "
    "--data.train.init_args.size 32 --data.batch_size 1"
)
WITH_OTHER_VALUES = {"-o", "--output", "--report", "--save-kernel", "--out"}


def place_photo(name: str) -> None:
    """A photo, or a folder of two, under a name that the README takes for granted.

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


@pytest.mark.parametrize("code", PYTHON)
def test_python(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in re.findall(r"""(?:restore|read_image|open)\(\s*["']([^"']+)["']""", code):
        place_photo(name)
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("line", SHELL)
def test_shell(line, tmp_path, monkeypatch, request, run):
    monkeypatch.chdir(tmp_path)
    if line.startswith("unblur benchmark"):
        monkeypatch.setenv("UNBLUR_DATA", str(request.getfixturevalue("data_folder")))
        line = f"{line.partition('#')[0]} --limit 1"
    elif line.startswith("unblur restore"):
        place_photo("photo.jpg")
        place_what_is_named(shlex.split(line, comments=True)[2:])
    elif line.startswith("unblur train"):
        place_folders(shlex.split(line))
        line = f"{line.replace('recipes/', f'{README.parent}/recipes/')} {TWO_STEPS}"
    if not re.search(r"[<>|*$]", line):  # nothing for a shell to do: in this process, which has imported torch already
        assert run(*shlex.split(line, comments=True)[1:]).code == 0
        return
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["bash", "-ec", line], check=True, timeout=300, env={**os.environ, "PATH": path})


def test_there_is_something_to_run():
    assert PYTHON
    assert SHELL
