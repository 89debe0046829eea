"""The Dockerfile agrees with the project; building it is left to machines that can."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from unblur.cli.main import parser
from unblur.server.settings import ServerSettings

ROOT = Path(__file__).parents[1]
TEXT = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
STEPS = [tuple(line.split(" ", 1)) for line in TEXT.splitlines() if line and not line.startswith("#")]


def words_of(instruction: str) -> list[str]:
    return [words for name, words in STEPS if name == instruction]


def test_stages_follow_each_other():
    names: list[str] = []
    for words in words_of("FROM"):
        base, _, name = words.partition(" AS ")
        assert base in names or base == "python:${PYTHON}-slim"
        names.append(name)
    assert names[-1] == "cpu"
    assert "cuda" in names
    assert all(re.search("--from=([a-z-]+)", words)[1] in names for words in words_of("COPY") if "--from" in words)


def test_what_is_copied_is_there_and_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for words in words_of("COPY"):
        if "--from" not in words:
            for name in words.split()[:-1]:
                assert (ROOT / name).exists()
                assert f"!{name}" in ignored


def test_all_is_installed_from_pinned_versions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installs = [words for words in words_of("RUN") if "pip install" in words]
    assert len(installs) == 4
    for words in installs:
        assert "--constraint constraints.txt" in words
        extras = re.search(r"\.\[([a-z,]+)\]", words)
        assert extras is None or set(extras[1].split(",")) <= set(project["optional-dependencies"])
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert all(f"\n{name}==" in f"\n{pinned}" for name in ("torch", "fastapi", "starlette", "uvicorn"))


def test_it_does_not_run_as_root_and_reports_its_health():
    assert words_of("USER") == ["10001"]
    (check,) = words_of("HEALTHCHECK")
    assert f"http://127.0.0.1:{ServerSettings.port}/healthz" in check
    assert words_of("EXPOSE") == [str(ServerSettings.port)]


@pytest.mark.parametrize("words", words_of("CMD"))
def test_it_begins_with_a_command_that_there_is(words):
    command = shlex.split(words.strip("[]").replace(",", " "))
    known = parser().commands[command[0]]
    known.make_context("unblur", command[1:])
