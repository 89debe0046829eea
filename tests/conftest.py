"""What tests of several folders use: the program run in this process, small photos, the shared data."""

import gc
import io
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
from PIL import Image

import shape_checks

gc.disable()  # until all tests are collected: what is imported until then stays, and looking through it is in vain
shape_checks.install("unblur")  # before the first import of the package

ROOT = Path(__file__).parents[1]
LONGEST = ("experiments", "training")
"""Folders of the files that take longest."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: of several processes, one that begins them last keeps the others waiting."""
    items.sort(key=lambda item: item.path.parent.name not in LONGEST)


def pytest_collection_finish() -> None:
    """What was imported stays: the garbage collector need not go through millions of objects again and again."""
    gc.freeze()
    gc.enable()


@dataclass(frozen=True)
class Ran:
    """How a run of the program ended."""

    code: int
    out: bytes
    err: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("unblur: error: ")]


@pytest.fixture(scope="session")
def _homes(tmp_path_factory) -> Iterator[Path]:
    """A folder for each test, made by the first that writes: `mktemp` makes all, and lists thousands to number each."""
    base = tmp_path_factory.mktemp("homes")
    return (base / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _no_traces_outside(_homes, monkeypatch):
    """Notes for --resume and brought weights stay in folders of the test's own."""
    home = next(_homes)
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("UNBLUR_WEIGHTS_CACHE", str(home / "weights"))


@pytest.fixture(autouse=True)
def _shapes_are_checked_anew():
    shape_checks.forget_calls()


@pytest.fixture
def wrong_shapes() -> Iterator[None]:
    """For tests of what the package itself says of a wrong shape: the checks of annotations would speak first."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def quick_search(monkeypatch):
    """A kernel search that tries its first hypothesis only, with fewer steps, for tests of what is around it."""
    search_quickly(monkeypatch)


def search_quickly(patch: pytest.MonkeyPatch) -> None:
    from unblur.methods.auto import candidates
    from unblur.methods.kernel_search import search

    first = search.HYPOTHESES[0]
    quick = replace(first, descent=replace(first.descent, final_penalty=4.0))
    patch.setattr(search, "HYPOTHESES", (quick,))
    patch.setattr(search, "SECOND_PASS_ROUNDS", 1)
    patch.setattr(candidates, "LARGE_HYPOTHESES", (quick,))


@pytest.fixture
def run(monkeypatch, capsysbinary) -> Callable[..., Ran]:
    """The program in this process: `run("restore", path, stdin=b"...")`."""
    from unblur.cli.main import main

    def run_words(*words: object, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsysbinary.readouterr()
        code = main([os.fspath(word) if isinstance(word, os.PathLike) else str(word) for word in words])
        out, err = capsysbinary.readouterr()
        ran = Ran(code, out, err.decode(errors="replace"))
        if "--debug" not in words:
            assert "Traceback" not in ran.err
        return ran

    return run_words


@pytest.fixture
def program() -> Callable[..., "subprocess.CompletedProcess[bytes]"]:
    """The program in a process of its own: `program("restore", path, stdout=file)`, started by `before`."""

    def run_words(
        *words: object, before: Iterable[str] = (), **options: object
    ) -> "subprocess.CompletedProcess[bytes]":
        command = [*before, sys.executable, "-m", "unblur", *map(str, words)]
        ran = subprocess.run(command, check=False, **{"stderr": subprocess.PIPE, "timeout": 120} | options)
        assert b"Traceback" not in (ran.stderr or b"")
        return ran

    return run_words


@pytest.fixture
def make_photo(tmp_path) -> Callable[..., Path]:
    """Writes a small photo and returns its path: `make_photo("a.png", size=(48, 32))`."""

    def make(name: str | Path = "photo.png", *, size: tuple[int, int] = (48, 32), seed: int = 0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        suffixes = {".jpg": "JPEG", ".tif": "TIFF", ".webp": "WEBP", ".bmp": "BMP"}
        with path.open("wb") as file:
            photo_of(size, seed).save(file, suffixes.get(path.suffix, "PNG"))
        return path

    return make


def photo_of(size: tuple[int, int], seed: int = 0) -> Image.Image:
    """A smooth picture with some edges."""
    width, height = size
    noise = np.random.default_rng(seed).random((height // 8 + 2, width // 8 + 2, 3))
    small = Image.fromarray((noise * 255).astype(np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of the shared data sets; tests that ask for it are skipped where there is none."""
    folder = Path(os.environ.get("UNBLUR_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no shared data: set UNBLUR_DATA to its folder")
    return folder
