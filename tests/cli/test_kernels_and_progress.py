"""What a method finds is saved, and how far it is can be seen."""

import json
import sys

import numpy as np
import pytest
import torch

from unblur.cli.restore import settle_save_kernel
from unblur.images.kernels import read_kernel
from unblur.methods.base import Restoration, Traits
from unblur.methods.catalog import CATALOG
from unblur.methods.entry import Entry


class Finder:
    """Returns the photo and the kernel it was given, or a small one of its own."""

    traits = Traits(uses=frozenset({"kernel"}))

    def __init__(self, settings):
        self.settings = settings

    def restore(self, blurry, options, on_step=None):
        own = torch.tensor([[[[1.0, 2.0, 5.0]]]]) / 8
        known = options.kernel_for(blurry)
        return Restoration(image=blurry, kernel=own if known is None else known, facts={"box": 3})


class Broken(Finder):
    def restore(self, blurry, options, on_step=None):
        raise ZeroDivisionError("of our\nown making")


@pytest.fixture(autouse=True)
def _methods(monkeypatch):
    for name, kind in (("finder", Finder), ("broken", Broken)):
        settings, method = "unblur.methods.identity.settings:InputSettings", f"{__name__}:{kind.__name__}"
        monkeypatch.setattr(
            sys.modules[__name__], name.upper(), Entry("for tests", "restorer", settings, method), raising=False
        )
        monkeypatch.setitem(CATALOG, name, f"{__name__}:{name.upper()}")


FIND = ("--method", "finder")


def test_saved_beside_the_output(run, make_photo, tmp_path):
    ran = run("restore", make_photo(), "--save-kernel", "--report", tmp_path / "r.jsonl", *FIND)
    assert ran.code == 0
    assert "kernel 3x1" in ran.err
    expected = np.array([[1, 2, 5]]) / 8
    assert np.allclose(read_kernel(tmp_path / "photo.unblur.kernel.npy"), expected)
    assert np.allclose(read_kernel(tmp_path / "photo.unblur.kernel.png"), expected, atol=1e-4)
    row = json.loads((tmp_path / "r.jsonl").read_text())
    assert (row["kernel_size"], row["facts"]) == ([3, 1], {"box": 3})


def test_saved_where_it_is_wanted(run, make_photo, tmp_path):
    photo = make_photo()
    assert run("restore", photo, "--save-kernel", tmp_path / "k.png", *FIND).code == 0
    assert (tmp_path / "k.png").exists()
    assert (tmp_path / "k.npy").exists()
    ran = run("restore", photo, "-o", tmp_path / "x.png", f"--save-kernel={tmp_path}/k.png", *FIND)
    assert (ran.code, len(ran.errors)) == (1, 1)
    assert "k.png exists already" in ran.errors[0]
    assert not (tmp_path / "x.png").exists()


def test_the_only_word_is_the_photo(run, make_photo, tmp_path):
    assert run("restore", *FIND, "--save-kernel", make_photo()).code == 0
    assert (tmp_path / "photo.unblur.kernel.png").exists()


def test_a_known_kernel_reaches_the_method(run, make_photo, tmp_path):
    np.save(tmp_path / "k.npy", np.ones((5, 3)))
    assert "kernel 3x5" in run("restore", make_photo(), "--kernel", tmp_path / "k.npy", *FIND).err


def test_where_the_value_may_be_left_out():
    assert settle_save_kernel(["a", "--save-kernel"]) == ["a", "--save-kernel="]
    assert settle_save_kernel(["--save-kernel", "a.jpg"]) == ["--save-kernel=", "a.jpg"]
    assert settle_save_kernel(["--save-kernel", "--quiet", "a"]) == ["--save-kernel=", "--quiet", "a"]
    assert settle_save_kernel(["--save-kernel", "k.npy", "a"]) == ["--save-kernel", "k.npy", "a"]
    assert settle_save_kernel(["--", "--save-kernel", "a"]) == ["--", "--save-kernel", "a"]
    assert settle_save_kernel(["--save-kernel=k.png", "a"]) == ["--save-kernel=k.png", "a"]


def test_our_own_faults_are_one_line_too(run, make_photo, tmp_path):
    photos = [make_photo("a.png"), make_photo("b.png")]
    ran = run("restore", *photos, "--method", "broken")
    assert (ran.code, len(ran.errors), len(ran.err.splitlines())) == (1, 2, 3)
    assert "unblur itself failed (ZeroDivisionError: of our own making)" in ran.errors[0]
    assert "Traceback" in run("restore", *photos, "--method", "broken", "--debug").err


def test_progress_shows_only_on_a_terminal(run, make_photo, monkeypatch, tmp_path):
    words = ("restore", make_photo("[red]a.png"), "--method", "slow-input", "--set", "steps=8", "--overwrite")
    assert "waiting" not in run(*words).err
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "120")
    shown = run(*words).err
    assert "[red]a.png: waiting" in shown
    assert "%" in shown
    assert "waiting" not in run(*words, "--quiet").err
