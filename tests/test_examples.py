"""The examples run, and do what they say."""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.usefixtures("quick_search")

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def example(monkeypatch, capfd) -> Callable[..., str]:
    """Runs an example in this process: `example("compose")` gives what it printed."""
    monkeypatch.syspath_prepend(EXAMPLES)

    def run(name: str, *words: object) -> str:
        import_module(name).main(["--quick", *map(str, words)])
        return capfd.readouterr().out

    return run


def numbers(pattern: str, printed: str) -> list[float]:
    """The numbers that a pattern finds in what was printed."""
    return [float(number) for number in re.findall(pattern, printed)]


def test_every_example_is_tested():
    own = Path(__file__).read_text(encoding="utf-8")
    names = {path.stem for path in EXAMPLES.glob("*.py") if "def main(" in path.read_text(encoding="utf-8")}
    assert {name for name in names if f'example("{name}"' not in own} == set()


def test_restore_and_plot(example, tmp_path):
    printed = example("restore_and_plot", "--out", tmp_path)
    before, after = numbers(r"(\d+\.\d+) dB", printed)
    assert after > before + 4
    plot = np.asarray(Image.open(tmp_path / "plot.png").convert("RGB"))
    assert len(np.unique(plot.reshape(-1, 3), axis=0)) > 1000


def test_edit_kernel(example, tmp_path):
    printed = example("edit_kernel", "--out", tmp_path)
    blurry, *restored = numbers(r"(\d+\.\d+) dB", printed)
    assert len(restored) == 3
    assert min(restored) > blurry + 3
    [had], [kept] = numbers(r"had (\d+)", printed), numbers(r"keeps (\d+)", printed)
    assert 0 < kept < had
    assert np.load(tmp_path / "edited.npy").sum() == pytest.approx(1, abs=1e-5)


def test_compose(example):
    rows = re.findall(r"^(.+?) +(\d+\.\d+) dB", example("compose"), flags=re.MULTILINE)
    scores = {name: float(score) for name, score in rows}
    blurry = scores.pop("blurry")
    assert len(scores) == 4
    assert min(scores.values()) > blurry + 1
    assert len(set(scores.values())) == 4, "each part counts"


def test_custom_prior(example, tmp_path):
    blurry, edges, tones = numbers(r"(\d+\.\d+) dB", example("custom_prior", "--plot", tmp_path / "history.png"))
    assert tones > edges > blurry
    with Image.open(tmp_path / "history.png") as plot:
        assert plot.size == (600, 400)


def test_train_on_folder(example, tmp_path):
    printed = example("train_on_folder", "--out", tmp_path)
    assert "weights after step 2" in printed
    with Image.open(tmp_path / "restored.png") as restored, Image.open(tmp_path / "blurry" / "0.png") as blurry:
        assert restored.size == blurry.size


def test_demo(example, tmp_path):
    printed = example("demo", "--out", tmp_path, "--seed", 0)
    assert numbers(r"gain (-?\d+\.\d\d) dB", printed)[0] > 2
    picture, blurry, restored = (
        np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("demo", "blurry", "restored")
    )
    gap = 12
    height, width = blurry.shape[:2]
    for number, photo in enumerate((blurry, restored)):
        left = gap + number * (width + gap)
        assert np.array_equal(picture[gap : gap + height, left : left + width], photo)
    last_column = picture[:, 3 * (width + gap) + gap : -gap]
    assert (last_column == 0).all(axis=-1).any(axis=1).sum() > height / 2, "two kernels on black"
    for name in ("true", "found"):
        assert np.load(tmp_path / f"{name}.npy").sum() == pytest.approx(1, abs=1e-5)


def test_kinds_of_blur(example, tmp_path):
    """The picture of the site; all kinds but the first are smoother than it."""
    printed = example("kinds_of_blur", "--out", tmp_path / "kinds.png")
    with Image.open(tmp_path / "kinds.png") as image:
        pixels = np.asarray(image.convert("L"), float)[26:90]
    assert numbers(r": (\d+)x", printed) == [pixels.shape[1]]
    panels = [pixels[:, at : at + 120] for at in range(0, pixels.shape[1], 128)]
    detail = [np.abs(np.diff(panel, axis=1)).mean() for panel in panels]
    assert len(detail) == 5
    assert detail[0] > 1.5 * max(detail[1:])
