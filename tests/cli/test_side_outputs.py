"""Report, steps, motion and kernel obey the rules of the photos themselves."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from unblur.methods.base import Restoration, Step, Traits
from unblur.methods.catalog import CATALOG
from unblur.methods.entry import Entry

pytestmark = pytest.mark.usefixtures("quick_search")

FREE = ("--method", "input")


class Explaining:
    """Shows two steps, a kernel and a motion field."""

    traits = Traits()

    def __init__(self, settings):
        self.settings = settings

    def restore(self, blurry, options, on_step):
        on_step(Step(0.5, "half", lambda: blurry / 2))
        on_step(Step(1.0, "whole", lambda: blurry))
        kernel = torch.tensor([[[[1.0, 2.0, 5.0]]]]) / 8
        return Restoration(blurry, kernel, torch.ones(1, 2, *blurry.shape[-2:]))


@pytest.fixture
def all_sides(monkeypatch, tmp_path, make_photo) -> tuple[object, ...]:
    """Command line that writes everything there is of two photos of one name, without output, report and more."""
    settings, method = "unblur.methods.identity.settings:InputSettings", f"{__name__}:Explaining"
    entry = Entry("for tests", "restorer", settings, method)
    monkeypatch.setattr(sys.modules[__name__], "ENTRY", entry, raising=False)
    monkeypatch.setitem(CATALOG, "explaining", f"{__name__}:ENTRY")
    monkeypatch.chdir(tmp_path)
    make_photo("x/a.png")
    make_photo("y/a.png", seed=1)
    sides = ("--save-kernel=kernels/", "--save-steps", "steps", "--save-motion", "motion")
    return ("restore", "x/a.png", "y/a.png", "--method", "explaining", *sides)


def files(*folders: str) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for folder in folders for path in Path(folder).rglob("*") if path.is_file()}


def test_names_mirror_the_tree(run, all_sides):
    ran = run(*all_sides, "--report", "report.jsonl")
    assert (ran.code, ran.errors) == (0, [])
    found = files("kernels", "steps", "motion")
    for folder in ("x", "y"):
        assert {name for name in found if f"/{folder}/" in name} == {
            f"kernels/{folder}/a.unblur.kernel.png",
            f"kernels/{folder}/a.unblur.kernel.npy",
            f"steps/{folder}/a.png.step-00.png",
            f"steps/{folder}/a.png.step-01.png",
            f"motion/{folder}/a.png.motion.npy",
            f"motion/{folder}/a.png.motion.png",
            f"motion/{folder}/a.png.arrows.png",
        }
    assert found["steps/x/a.png.step-01.png"] != found["steps/y/a.png.step-01.png"]
    assert np.load("motion/x/a.png.motion.npy", allow_pickle=False).shape == (2, 32, 48)


@pytest.mark.parametrize(
    "taken", ["kernels/x/a.unblur.kernel.npy", "steps/x/a.png.step-01.png", "motion/x/a.png.arrows.png"]
)
def test_nothing_is_replaced_unasked(run, all_sides, taken):
    Path(taken).parent.mkdir(parents=True)
    Path(taken).write_text("mine")
    ran = run(*all_sides)
    assert (ran.code, ran.err.splitlines()[-1]) == (1, "1 done, 0 skipped, 1 failed")
    assert f"{taken} exists already" in ran.errors[0]
    assert Path(taken).read_text() == "mine"
    assert not Path("x/a.unblur.png").exists()
    resumed = run(*all_sides, "--resume")
    assert (resumed.code, resumed.err.splitlines()[-1]) == (1, "0 done, 1 skipped, 1 failed")
    assert Path(taken).read_text() == "mine"
    assert run(*all_sides, "--overwrite").code == 0
    assert Path(taken).read_bytes() != b"mine"


def test_what_an_interrupted_run_left_is_replaced(run, all_sides):
    """Steps, kernel and motion are there, the photo is not: the next run does not stumble over its own files."""
    assert run(*all_sides).code == 0
    before = files("kernels", "steps", "motion")
    Path("x/a.unblur.png").unlink()
    ran = run(*all_sides, "--resume")
    assert (ran.code, ran.err.splitlines()[-1]) == (0, "1 done, 1 skipped, 0 failed")
    assert files("kernels", "steps", "motion") == before


def test_a_report_never_replaces_a_photo(run, make_photo, tmp_path):
    photo, other = make_photo(), make_photo("other.png")
    before = other.read_bytes()
    ran = run("restore", photo, "--report", other, *FREE)
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert "exists already" in ran.errors[0]
    assert run("restore", photo, "--report", photo, "--overwrite", *FREE).code == 2
    assert (other.read_bytes(), (tmp_path / "photo.unblur.png").exists()) == (before, False)


def rows(report: Path) -> list[tuple[str, str]]:
    return [(row["status"], Path(row["input"]).name) for row in map(json.loads, report.read_text().splitlines())]


def test_a_report_goes_on(run, make_photo, tmp_path):
    report = tmp_path / "new/report.jsonl"
    words = ("restore", make_photo("a.png"), "--report", report, *FREE)
    assert run(*words).code == 0
    assert run(*words).code == 2
    with report.open("a") as file:
        file.write('{"input": "cut sho')
    assert run(*words, make_photo("b.png"), "--resume").code == 0
    assert rows(report) == [("done", "a.png"), ("skipped", "a.png"), ("done", "b.png")]
    assert run(*words, "--overwrite").code == 0
    assert rows(report) == [("done", "a.png")]


def test_a_resumed_run_takes_nothing_else_for_a_report(run, make_photo, tmp_path):
    (tmp_path / "notes.json").write_text('{"mine": 1}')
    ran = run("restore", make_photo(), "--resume", "--report", tmp_path / "notes.json", *FREE)
    assert ran.code == 2
    assert (tmp_path / "notes.json").read_text() == '{"mine": 1}'


def test_a_report_replaces_a_link_and_not_what_it_leads_to(run, make_photo, tmp_path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "report").symlink_to("precious")
    assert run("restore", make_photo(), "--report", tmp_path / "report", "--overwrite", *FREE).code == 0
    assert (tmp_path / "precious").read_text() == "mine"
    assert len(rows(tmp_path / "report")) == 1


def test_a_report_on_standard_output(run, make_photo):
    ran = run("restore", make_photo(), "--report", "-", *FREE)
    assert (ran.code, json.loads(ran.out)["status"]) == (0, "done")


def test_a_report_on_a_full_disk(program, make_photo, tmp_path):
    """One sentence, exit code 2, whole lines; as where a photo cannot be written."""
    import resource

    for number in range(30):
        make_photo(f"in/{number}.png", size=(9, 9))
    ran = program(
        *("restore", tmp_path / "in", "-o", tmp_path / "out", "--report", tmp_path / "report.jsonl", *FREE),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000)),
    )
    errors = [line for line in ran.stderr.decode().splitlines() if line.startswith("unblur: error: ")]
    assert (ran.returncode, len(errors)) == (2, 1)
    assert "report.jsonl cannot be written: file too large" in errors[0]
    assert ran.stderr.decode().splitlines()[-1].endswith("done, 0 skipped, 0 failed")
    assert 1 < len(rows(tmp_path / "report.jsonl")) < 30


@pytest.mark.parametrize("words", [["-o", "out.png"], ["--save-kernel", "k.png"], ["--save-steps", "s.png"]])
def test_one_file_name_for_two_photos(run, make_photo, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    ran = run("restore", make_photo("a.png"), make_photo("b.png"), *words, *FREE)
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert "is the name of a file, and a folder is needed" in ran.errors[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]
