import csv
import json
import os
import subprocess
import sys

import pytest

import data_trees as trees


@pytest.fixture(autouse=True)
def _no_cache_outside(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def test_the_command_runs_a_suite_and_prints_the_published_numbers(run, tmp_path):
    trees.levin_tree(tmp_path / "data", side=80)
    ran = run(
        "benchmark", "levin", "--method", "input", "--data", tmp_path / "data", "--limit", 2, "--out", tmp_path / "out"
    )
    assert ran.code == 0
    assert b"SelfDeblur" in ran.out
    assert "2 of 2" in ran.err
    with (tmp_path / "out" / "rows.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["image"] for row in rows] == ["im1_kernel1", "im3_kernel2"]
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["limit"] == 2


def test_pairs_are_chosen_by_name(run, tmp_path):
    trees.levin_tree(tmp_path / "data", side=80)
    where = ("--method", "input", "--data", tmp_path / "data", "--out", tmp_path / "out")
    assert run("benchmark", "levin", "--only", "im[24]_kernel5", *where).code == 0
    with (tmp_path / "out" / "rows.csv").open(newline="") as lines:
        assert [row["image"] for row in csv.DictReader(lines)] == ["im2_kernel5", "im4_kernel5"]
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["only"] == "im[24]_kernel5"
    other = run("benchmark", "levin", "--only", "im2_kernel5", *where)
    assert other.code == 2
    assert "only was im[24]_kernel5, is im2_kernel5" in other.errors[0]


def test_a_failed_image_is_told_and_the_exit_code_says_so(run, tmp_path):
    table = tmp_path / "pairs.csv"
    table.write_text("blurry,sharp\nnone\x1b[31m.png,none.png\n")
    ran = run("benchmark", "pairs", "--pairs", table, "--method", "input", "--out", tmp_path / "out")
    assert ran.code == 1
    assert len(ran.errors) == 1
    assert "\x1b[31m.png" not in ran.err
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["failed"] == 1


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "cannot be read: no such file"),
        (lambda path: path.mkdir(), "is a folder, no file"),
        (os.mkfifo, "is a device or pipe, no file"),
        (lambda path: path.write_bytes(b""), "found an empty file"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00"), "is no CSV file in UTF-8"),
    ],
    ids=["missing", "folder", "pipe", "empty", "no text"],
)
def test_a_list_of_pairs_that_is_none(run, tmp_path, make, reason):
    table = tmp_path / "pairs.csv"
    make(table)
    ran = run("benchmark", "pairs", "--pairs", table, "--method", "input", "--out", tmp_path / "out")
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert f"the list of pairs {str(table)!r}" in ran.errors[0]
    assert reason in ran.errors[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["kodak"], "no suite named 'kodak'"),
        (["levin", "--method", "magic"], "no method named 'magic'"),
        (["levin", "--protocol", "best"], "best"),
        (["levin", "--limit", "0"], "limit"),
        (["levin", "--set", "strong"], "NAME=VALUE"),
        (["pairs", "--method", "input"], "--pairs FILE.csv"),
        (["levin", "--method", "input", "--data", "/nonexistent/place"], "no data folder"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(run, tmp_path, words, message):
    ran = run("benchmark", *words, "--out", tmp_path / "out")
    assert ran.code == 2
    assert len(ran.errors) == 1
    assert message in ran.errors[0]


def test_help_and_wrong_use_do_not_import_torch():
    program = (
        "import sys; from unblur.cli.main import main\n"
        "code = main(sys.argv[1:]); sys.exit(9 if 'torch' in sys.modules else code)"
    )
    for words, code in ((["--help"], 0), (["kodak"], 2), (["levin", "--protocol", "best"], 2)):
        done = subprocess.run([sys.executable, "-c", program, "benchmark", *words], capture_output=True, check=False)
        assert done.returncode == code, done.stderr.decode()
