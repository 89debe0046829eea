"""`unblur restore`: what it writes, what it says, how it exits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FREE = ("--method", "input")
"""Decode and encode, nothing else: cheap, and torch is never imported."""


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def save_kernel_file(path: Path, kernel: np.ndarray) -> Path:
    np.save(path, kernel)
    return path


def test_default_output_is_beside_the_input(run, make_photo):
    photo = make_photo("holiday.png")
    ran = run("restore", photo, *FREE)
    assert (ran.code, ran.out, ran.errors) == (0, b"", [])
    assert ran.err.splitlines()[-1] == "1 done, 0 skipped, 0 failed"
    assert np.array_equal(pixels(photo.with_name("holiday.unblur.png")), pixels(photo))


def test_output_file_and_folder(run, make_photo, tmp_path):
    photo = make_photo()
    assert run("restore", photo, "-o", tmp_path / "sharp.tif", *FREE).code == 0
    assert (tmp_path / "sharp.tif").read_bytes()[:4] == b"II*\0"
    assert run("restore", photo, "-o", f"{tmp_path}/new/folder/", *FREE).code == 0
    assert (tmp_path / "new/folder/photo.png").exists()


def test_pipe(run, make_photo, tmp_path):
    photo = make_photo()
    ran = run("restore", "-", *FREE, stdin=photo.read_bytes())
    (tmp_path / "piped.png").write_bytes(ran.out)
    assert ran.code == 0
    assert np.array_equal(pixels(tmp_path / "piped.png"), pixels(photo))


def test_pipe_into_a_file_and_out_of_one(run, make_photo, tmp_path):
    photo = make_photo()
    assert run("restore", "-", "-o", tmp_path / "a.png", *FREE, stdin=photo.read_bytes()).code == 0
    assert np.array_equal(pixels(tmp_path / "a.png"), pixels(photo))
    assert run("restore", photo, "-o", "-", *FREE).out.startswith(b"\x89PNG")
    assert run("restore", "-", "-o", f"{tmp_path}/folder/", *FREE, stdin=photo.read_bytes()).code == 2


def test_one_bad_file_does_not_stop_a_batch(run, make_photo, tmp_path):
    make_photo("in/a.png")
    (tmp_path / "in/b.png").write_bytes((tmp_path / "in/a.png").read_bytes()[:200])
    (tmp_path / "in/c.jpg").write_text("no picture at all")
    make_photo("in/d.jpg")
    report = tmp_path / "report.jsonl"
    ran = run("restore", tmp_path / "in", "-o", tmp_path / "out", "--report", report, *FREE)
    assert ran.code == 1
    assert len(ran.errors) == 2
    assert ran.err.splitlines()[-1] == "2 done, 0 skipped, 2 failed"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "d.jpg"]
    rows = [json.loads(line) for line in report.read_text().splitlines()]
    assert [row["status"] for row in rows] == ["done", "failed", "failed", "done"]
    keys = {"input", "output", "method", "settings", "kernel_size", "seconds", "peak_mb", "device", "warnings", "error"}
    assert all(keys <= set(row) for row in rows)
    assert rows[0]["peak_mb"] > 1
    assert rows[0]["output"] == str(tmp_path / "out/a.png")


def test_damaged_file_on_request(run, make_photo):
    photo = make_photo("cut.jpg", size=(200, 200))
    photo.write_bytes(photo.read_bytes()[:-400])
    refused = run("restore", photo, *FREE)
    assert (refused.code, len(refused.errors)) == (1, 1)
    taken = run("restore", photo, "--allow-damaged", *FREE)
    assert taken.code == 0
    assert "unblur: warning: " in taken.err


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["missing.png"], 1, "missing.png: does not exist"),
        (["photo.png", "--method", "magic"], 2, "no method named 'magic'"),
        (["photo.png", "--set", "steps=2"], 2, "no setting 'steps'"),
        (["photo.png", "--set", "steps"], 2, "--set takes NAME=VALUE"),
        (["photo.png", "--method", "slow-input", "--set", "steps=many"], 2, "steps takes a value of type int"),
        (["photo.png", "--region", "40,0,20,20"], 2, "reaches outside the photo"),
        (["photo.png", "--region=-1,0,20,20"], 2, "begins outside the photo"),
        (["photo.png", "--region", "1,2,3"], 2, "a region is four whole numbers"),
        (["photo.png", "--kernel-size", "24"], 2, "odd number of pixels"),
        (["photo.png", "--kernel-size", "81"], 2, "larger than the photo"),
        (["photo.png", "--strength", "1.5"], 2, "from 0"),
        (["photo.png", "--encoding", "dim"], 2, "invalid value for '--encoding'"),
        (["photo.png", "--jobs", "0"], 2, "invalid value for '--jobs'"),
        (["photo.png", "--jobs"], 2, "--jobs"),
        (["photo.png", "--sharper"], 2, "no such option: --sharper"),
        (["photo.png", "--kernel", "none.npy"], 2, "none.npy: does not exist"),
        (["photo.png", "--in-place", "-o", "x.png"], 2, "--in-place"),
        (["photo.png", "-o", "x.doc"], 1, "x.doc: the extension '.doc'"),
        (["photo.png", "-o", "photo.png/x/"], 2, "a file is in its way"),
        (["photo.png", "--null"], 2, "--null is for"),
        (["--files-from", "none.txt"], 2, "the list none.txt does not exist"),
        (["empty"], 2, "no photos in this folder"),
        (["*.tif"], 1, "matches no file"),
        ([], 2, "no photo is named"),
    ],
)
def test_wrong_use_is_one_line(run, make_photo, tmp_path, monkeypatch, words, code, reason):  # noqa: PLR0917
    monkeypatch.chdir(tmp_path)
    make_photo()
    (tmp_path / "empty").mkdir()
    ran = run("restore", *(() if "--method" in words else FREE), *words)
    assert ran.code == code
    assert len(ran.errors) == 1, ran.err
    assert reason in ran.errors[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "photo.png"]


@pytest.mark.parametrize(
    ("kernel", "reason"),
    [
        (np.zeros((5, 5)), "zero everywhere"),
        (-np.ones((5, 5)), "no negative values"),
        (np.full((5, 5), np.nan), "finite"),
        (np.ones((5, 5, 3)), "two dimensions"),
        (np.ones((99, 99)), "larger than the photo"),
    ],
)
def test_kernels_that_are_none(run, make_photo, tmp_path, kernel, reason):
    ran = run("restore", make_photo(), "--kernel", save_kernel_file(tmp_path / "k.npy", kernel), *FREE)
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert reason in ran.errors[0]


def test_too_large_a_kernel_for_one_photo_of_two(run, make_photo, tmp_path):
    kernel = save_kernel_file(tmp_path / "k.npy", np.ones((21, 21)))
    ran = run("restore", make_photo("small.png", size=(16, 16)), make_photo(), "--kernel", kernel, *FREE)
    assert (ran.code, len(ran.errors)) == (1, 1)
    assert ran.err.splitlines()[-1] == "1 done, 0 skipped, 1 failed"


def test_pixels_that_are_not_finite(run, tmp_path):
    values = np.ones((9, 9), np.float32)
    values[4, 4] = np.nan
    Image.fromarray(values).save(tmp_path / "nan.tif")
    ran = run("restore", tmp_path / "nan.tif", *FREE)
    assert (ran.code, len(ran.errors)) == (1, 1)
    assert "not finite" in ran.errors[0]


@pytest.mark.parametrize("side", range(1, 9))
def test_tiny_photos(run, make_photo, tmp_path, side):
    photo = make_photo(size=(side, side))
    assert run("restore", photo, *FREE).code == 0
    assert pixels(tmp_path / "photo.unblur.png").shape == (side, side, 3)


def test_existing_outputs_are_kept(run, make_photo, tmp_path):
    photo = make_photo()
    output = tmp_path / "photo.unblur.png"
    output.write_text("mine")
    ran = run("restore", photo, *FREE)
    assert (ran.code, len(ran.errors)) == (1, 1)
    assert output.read_text() == "mine"
    assert "--overwrite" in ran.errors[0]
    assert run("restore", photo, "--overwrite", *FREE).code == 0
    assert np.array_equal(pixels(output), pixels(photo))


def test_too_many_pixels(run, make_photo):
    ran = run("restore", make_photo(), "--max-pixels", 1000, *FREE)
    assert (ran.code, len(ran.errors)) == (1, 1)


def test_in_place(run, make_photo):
    photo = make_photo("photo.bmp")
    before = pixels(photo)
    assert run("restore", photo, "--in-place", "--strength", 0, *FREE).code == 0
    assert np.array_equal(pixels(photo), before)


def test_mode_follows_the_umask(run, make_photo, tmp_path):
    before = os.umask(0o022)
    try:
        assert run("restore", make_photo(), *FREE).code == 0
    finally:
        os.umask(before)
    assert (tmp_path / "photo.unblur.png").stat().st_mode & 0o777 == 0o644


def test_quiet(run, make_photo):
    assert run("restore", make_photo(), "--quiet", *FREE).err == ""


def test_debug_shows_the_traceback(run, tmp_path):
    ran = run("restore", make_bad(tmp_path), "--debug", *FREE)
    assert "Traceback" in ran.err
    assert ran.code == 1


def make_bad(folder: Path) -> Path:
    (folder / "bad.png").write_text("no picture")
    return folder / "bad.png"


def test_save_kernel_without_one_says_so(run, make_photo, tmp_path):
    photo = make_photo()
    ran = run("restore", "--save-kernel", photo, *FREE)
    assert ran.code == 0
    assert "no kernel was found" in ran.err
    assert not list(tmp_path.glob("*kernel*"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_full_standard_output(make_photo):
    command = [sys.executable, "-m", "unblur.cli.main", "restore", make_photo(), "-o", "-", *FREE]
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "standard output" in ended.stderr


def test_output_places_that_cannot_be_used(run, make_photo, tmp_path):
    photos = [make_photo("a.png"), make_photo("b.png")]
    (tmp_path / "file").write_text("mine")
    for output in (tmp_path / "file", "/dev/full", tmp_path / "file/below", "/proc/nowhere/"):
        ran = run("restore", *photos, "-o", output, *FREE)
        assert (ran.code, len(ran.errors)) == (2, 1), output
    assert (tmp_path / "file").read_text() == "mine"
    assert run("restore", photos[0], "-o", "/dev/full", *FREE).code == 2
