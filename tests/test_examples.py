"""The examples run, and do what they say."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder that the demo filled, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    words = [sys.executable, "-W", "error", EXAMPLES / "demo.py", "--quick", "--out", folder]
    ran = subprocess.run(words, check=True, capture_output=True, text=True, timeout=120)
    return folder, ran.stdout


def test_demo_gains(demo):
    _, printed = demo
    gain = re.search(r"gain (-?\d+\.\d\d) dB", printed)
    assert gain, printed
    assert float(gain[1]) > 2


def test_demo_picture_shows_all_parts(demo):
    folder, _ = demo
    picture = np.asarray(Image.open(folder / "demo.png"))
    blurry = np.asarray(Image.open(folder / "blurry.png"))
    restored = np.asarray(Image.open(folder / "restored.png"))
    gap = 12
    height, width = blurry.shape[:2]
    for number, photo in enumerate((blurry, restored)):
        left = gap + number * (width + gap)
        assert np.array_equal(picture[gap : gap + height, left : left + width], photo)
    last_column = picture[:, 3 * (width + gap) + gap : -gap]
    assert (last_column == 0).all(axis=-1).any(axis=1).sum() > height / 2, "two kernels on black"


def test_demo_kernels_are_kept(demo):
    folder, _ = demo
    for name in ("true", "found"):
        assert np.load(folder / f"{name}.npy").sum() == pytest.approx(1, abs=1e-5)


def run_example(name: str, *words: object) -> str:
    """What an example prints."""
    words = [sys.executable, "-W", "error", EXAMPLES / name, "--quick", *words]
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=120).stdout


def decibels_of(printed: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"^(.+): (-?\d+\.\d\d) dB$", printed, flags=re.MULTILINE)}


def test_a_prior_that_fits_the_picture_gains(tmp_path):
    scores = decibels_of(run_example("custom_prior.py", "--plot", tmp_path / "history.png"))
    assert scores["two tones"] > scores["sparse edges"] > scores["blurry"]
    assert (tmp_path / "history.png").exists()
