import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import data_trees as trees
from unblur.datasets.blur_settings import KINDS


@pytest.fixture
def photos(tmp_path) -> Path:
    for n, place in enumerate(("a.png", "b.jpg", "deep/c.png")):
        trees.save(tmp_path / "photos" / place, trees.photo(72, 80, 3, n))
    return tmp_path / "photos"


def manifest(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "frames"])
def test_every_kind_writes_pairs_and_their_truth(run, photos, tmp_path, kind):
    out = tmp_path / "out"
    extra = [] if kind in ("motion-field", "dynamic") else ["--kernel-size", "33"]
    ran = run("blur", photos, "-r", "-o", out, "--kind", kind, *extra, "--size", "48", "--noise", "0.01")
    assert (ran.code, ran.out) == (0, b"")
    assert "3 pairs, 0 failed" in ran.err
    lines = manifest(out)
    assert [line["name"] for line in lines] == ["a", "b", "deep/c"]
    for line in lines:
        assert line["size"] == [48, 48]
        truths = {
            "motion-field": ["motion_field"],
            "dynamic": ["motion_field", "trajectory"],
            "shake": ["kernel", "trajectory"],
        }
        for part in ["blurry", "sharp", *truths.get(kind, ["kernel"])]:
            assert (out / line[part]).is_file()
        assert line["sensor"]["noise_sigma"] == 0.01
    written = {path for path in out.rglob("*") if path.is_file() and path.suffix != ".jsonl"}
    kernels = {out / line["kernel"].replace(".png", ".npy") for line in lines if "kernel" in line}
    named = {out / value for line in lines for value in line.values() if isinstance(value, str)}
    assert written <= named | kernels


def test_jobs_change_nothing(run, photos, tmp_path):
    for jobs in (1, 2):
        run(
            "blur",
            photos,
            "-r",
            "-o",
            tmp_path / str(jobs),
            "--kind",
            "shake",
            "--kernel-size",
            9,
            "--jobs",
            jobs,
            "-q",
        )
    for path in (tmp_path / "1").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "2" / path.relative_to(tmp_path / "1")).read_bytes()


def test_settings_reach_the_blur(run, photos, tmp_path):
    words = ["--set", "length_min=7", "--set", "length_max=7", "--set", "angle_min=30", "--set", "angle_max=30"]
    run(
        "blur",
        photos / "a.png",
        "-o",
        tmp_path / "out",
        "--kind",
        "linear",
        *words,
        "--encoding",
        "encoded",
        "--seed",
        3,
    )
    [line] = manifest(tmp_path / "out")
    assert (line["drawn"]["length"], line["drawn"]["angle"]) == (7, 30)
    assert (line["encoding"], line["run_seed"]) == ("encoded", 3)


def test_frames_of_folders(run, tmp_path):
    for clip in ("x", "y"):
        for i in range(5):
            trees.save(tmp_path / f"clips/{clip}/{i:03d}.png", trees.photo(24, 32, 3, i))
    clips = [tmp_path / "clips/x", tmp_path / "clips/y"]
    ran = run("blur", *clips, "-o", tmp_path / "out", "--kind", "frames", "--set", "count=5")
    assert ran.code == 0
    assert [line["name"] for line in manifest(tmp_path / "out")] == ["x/002", "y/002"]


def test_a_recorded_shake(run, photos, tmp_path):
    place = tmp_path / "gyro.npz"
    np.savez(place, gyro_rad_s=np.full((200, 3), 0.1), rate_hz=100.0, pan_tilt_axes=[0, 1])
    ran = run("blur", photos / "a.png", "-o", tmp_path / "out", "--kind", "shake", "--gyro", place)
    assert ran.code == 0
    assert "exposure" in manifest(tmp_path / "out")[0]["drawn"]


def test_a_bad_photo_is_told_and_the_rest_is_done(run, photos, tmp_path):
    (photos / "a.png").write_bytes(b"no image")
    ran = run("blur", photos, "missing.png", "-o", tmp_path / "out", "--kind", "gaussian")
    assert ran.code == 1
    assert len(ran.errors) == 2
    assert [line["name"] for line in manifest(tmp_path / "out")] == ["b"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--kind", "fog"], "'fog' is not one of"),
        (["--kind", "shake", "--set", "wobble=1"], "no setting 'wobble' here; known settings: kernel_size"),
        (["--kind", "shake", "--set", "kernel_size=big"], "kernel_size takes a value of type int"),
        (["--kind", "shake", "--kernel-size", "30"], "kernel_size is an odd number"),
        (["--kind", "dynamic", "--set", "steps=4"], "steps is an odd number"),
        (
            ["--kind", "linear", "--set", "length_max=40"],
            "too small for a blur of 40; change kernel_size or length_max",
        ),
        (["--kind", "defocus", "--set", "radius_min=9"], "radius_min is 0 or more and not above radius_max"),
        (["--kind", "dynamic", "--set", "objects=-1"], "objects and shake are 0 or more"),
        (["--kind", "frames", "--set", "count=0"], "count is 1 or more"),
        (["--kind", "dynamic", "--kernel-size", "31"], "no setting 'kernel_size' here"),
        (["--kind", "frames", "--size", "64"], "frames are what they are"),
        (["--kind", "linear", "--jpeg", "101"], "JPEG quality is from 1 to 100"),
        (["--kind", "linear", "--set", "length_max"], "--set takes NAME=VALUE"),
        ([], "missing option '--kind'"),
    ],
)
def test_wrong_use_is_one_line(run, photos, tmp_path, words, reason):
    ran = run("blur", photos, "-o", tmp_path / "out", *words)
    assert ran.code == 2
    [line] = ran.errors
    assert reason in line
    assert not (tmp_path / "out").exists()


def test_an_output_among_the_photos_is_no_photo(run, photos):
    words = ["blur", photos, "-r", "-o", photos / "out", "--kind", "gaussian", "--kernel-size", 9]
    assert run(*words).code == 0
    assert run(*words, "--overwrite").code == 0
    assert [line["name"] for line in manifest(photos / "out")] == ["a", "b", "deep/c"]


def test_two_photos_for_one_place_are_refused(run, photos, tmp_path):
    trees.save(photos / "a.bmp", trees.photo(72, 80, 3, 9))
    ran = run("blur", photos, "-o", tmp_path / "out", "--kind", "linear")
    assert ran.code == 2
    assert "would both be written to a" in ran.errors[0]
    assert "a pipe has no name" in run("blur", "-", "-o", tmp_path / "out", "--kind", "linear").errors[0]
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_taken_is_refused(run, photos, tmp_path):
    words = ["blur", photos / "a.png", "-o", tmp_path / "out", "--kind", "defocus"]
    assert run(*words).code == 0
    again = run(*words)
    assert again.code == 2
    assert "holds a data set already" in again.errors[0]
    assert run(*words, "--overwrite").code == 0
    onto_itself = run("blur", tmp_path / "out/sharp", "-o", tmp_path / "out", "--kind", "defocus", "--overwrite")
    assert onto_itself.code == 2
    assert "would be written over" in onto_itself.errors[0]
    (tmp_path / "file").write_text("")
    blocked = run("blur", photos / "a.png", "-o", tmp_path / "file", "--kind", "defocus")
    assert blocked.code == 2
    assert "the output is a file" in blocked.errors[0]


@pytest.mark.parametrize("words", [["blur", "--help"], ["data", "list"], ["blur", "x.png", "-o", "o", "--kind", "fog"]])
def test_cheap_answers_leave_torch_alone(words):
    code = f"import sys; from unblur.cli.main import main; main({words!r}); print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "False"
