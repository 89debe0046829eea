"""The README is right: its Python and shell blocks run, on small photos that stand for those it names."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from doc_blocks import blocks_of, place_photo, place_what_is_named, two_steps, unblur_lines, words_of

pytestmark = pytest.mark.usefixtures("quick_search")

README = Path(__file__).parents[1] / "README.md"
BLOCKS = blocks_of(README)
PYTHON = [text for language, text in BLOCKS if language in ("python", "py")]
SHELL = [line for block in BLOCKS for line in unblur_lines(*block)]


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
        place_what_is_named(words_of(line)[1:])
    elif line.startswith("unblur train"):
        line = two_steps(line)
    if not re.search(r"[<>|*$]", line):  # nothing for a shell to do: in this process, which has imported torch already
        assert run(*words_of(line)).code == 0
        return
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["bash", "-ec", line], check=True, timeout=300, env={**os.environ, "PATH": path})


def test_there_is_something_to_run():
    assert PYTHON
    assert SHELL
