"""`--burst`: several files become one, in the place of the first, as any photo is restored."""

import json

import numpy as np
import pytest
from PIL import Image

from planted import draw_picture, shake
from unblur.blur.convolve import convolve
from unblur.images.kernels import read_kernel

QUICK = ("--method", "map", "--set", "hypotheses=1", "--set", "first_box=9", "--set", "largest_box=9")
QUICK = (*QUICK, "--encoding", "encoded")
NAMES = ("a.png", "b.png", "c.png")


@pytest.fixture
def burst(tmp_path, monkeypatch):
    """Three files of one scene in the current folder."""
    monkeypatch.chdir(tmp_path)
    scene = draw_picture(110, 120, seed=4)
    for seed, name in enumerate(NAMES):
        photo = convolve(scene, shake(7, seed, (9, 12)), "replicate")[..., 5 + seed : 101 + seed, 5:117]
        pixels = np.rint(255 * photo[0, 0].clamp(0, 1).numpy()).astype(np.uint8)
        Image.fromarray(pixels).save(name, dpi=(300, 300))
    return tmp_path


def test_one_photo_with_a_kernel_for_each(run, burst):
    ran = run("restore", "--burst", *NAMES, "--save-kernel", "--report", "report.jsonl", *QUICK)
    assert (ran.code, ran.errors) == (0, [])
    assert sorted(path.name for path in burst.glob("*.unblur.*")) == sorted(
        ["a.unblur.png", *(f"a.unblur.kernel{end}" for end in (".png", ".npy", "-2.png", "-2.npy", "-3.png", "-3.npy"))]
    )
    row = json.loads((burst / "report.jsonl").read_text())
    assert (row["input"], row["output"], row["status"]) == ("a.png", "a.unblur.png", "done")
    assert [one["used"] for one in row["facts"]["photos"]] == [True] * 3
    for end in ("", "-2", "-3"):
        assert read_kernel(burst / f"a.unblur.kernel{end}.npy").sum() == pytest.approx(1)
    with Image.open("a.unblur.png") as image:
        assert image.size == (112, 96)
        assert round(image.info["dpi"][0]) == 300
    again = run("restore", "--burst", *NAMES, "--save-kernel", "--resume", *QUICK)
    assert "1 skipped" in again.err
    other = run("restore", "--burst", *NAMES[:2], "--save-kernel", "--resume", "--dry-run", *QUICK)
    assert "1 to do" in other.err


def test_what_no_burst_can_be_is_said_at_once(run, burst, make_photo):
    def said(*words: str) -> str:
        ran = run("restore", "--burst", *words)
        assert ran.code == 2
        return " ".join(ran.errors)

    assert "here is one" in said("a.png")
    assert "none of them can come from a pipe" in said("a.png", "-")
    assert "the output b.png is the input b.png" in said(*NAMES, "-o", "b.png", "--overwrite")
    assert "--watch restores photo by photo" in said(*NAMES, "--watch")
    assert "restored as a whole" in said(*NAMES, "--only-region", "0,0,64,64")
    assert "no other photo has 112x96 pixels" in said("a.png", make_photo("small.png"), *QUICK)
    assert "finds a kernel, such as auto" in said(*NAMES, "--method", "input")


def test_a_file_that_cannot_be_read_is_named(run, burst):
    (burst / "b.png").write_bytes(b"no picture")
    ran = run("restore", "--burst", *NAMES, *QUICK)
    assert ran.code == 1
    assert "b.png of its burst" in ran.err
    assert not list(burst.glob("*.unblur.*"))
