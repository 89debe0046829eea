import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import data_trees as trees
from unblur.benchmarks.options import BenchmarkOptions
from unblur.benchmarks.rows import Row, RowWriter, read_rows
from unblur.benchmarks.run import run_benchmarks
from unblur.errors import DataError, OutputError, UsageError


@pytest.fixture(autouse=True)
def _no_cache_outside(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def pairs_of(folder: Path, count: int) -> Path:
    for i in range(count):
        sharp = trees.photo(48, 56, 3, i)
        trees.save(folder / f"s{i}.png", sharp)
        trees.save(folder / f"b{i}.png", sharp // 2 + 60)
    table = folder / "pairs.csv"
    table.write_text("blurry,sharp\n" + "".join(f"b{i}.png,s{i}.png\n" for i in range(count)))
    return table


def runs_of(table: Path, out: Path, *methods: str, **wishes) -> list[BenchmarkOptions]:
    return [BenchmarkOptions("pairs", method, "plain", out, pair_list=table, **wishes) for method in methods]


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory) -> Path:
    """The outputs of one run of two pairs, to copy: processes take seconds to start."""
    folder = tmp_path_factory.mktemp("finished")
    run_benchmarks(runs_of(pairs_of(folder, 2), folder / "out", "input"))
    return folder


@pytest.fixture
def finished(finished_run, tmp_path) -> tuple[Path, Path]:
    """A list of pairs, and the folder of a finished run of it."""
    shutil.copytree(finished_run, tmp_path, dirs_exist_ok=True)
    return tmp_path / "pairs.csv", tmp_path / "out"


def keys_of(rows: list[Row]) -> list[tuple[str, int]]:
    return sorted((row.method, row.index) for row in rows)


def read_csv(out: Path) -> list[dict[str, str]]:
    with (out / "rows.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_several_methods_make_one_run(tmp_path):
    table, out = pairs_of(tmp_path, 2), tmp_path / "out"
    runs = runs_of(table, out, "input", "slow-input", metrics=("ssim_y", "ms_ssim"))
    summaries = run_benchmarks(runs)
    rows = read_csv(out)
    assert sorted((row["method"], row["index"], row["image"]) for row in rows) == [
        (method, str(i), f"b{i}.png") for method in ("input", "slow-input") for i in range(2)
    ]
    assert all(0 < float(row["ssim_y"]) < 1 for row in rows)
    assert all(row["ms_ssim"] == "" and "no ms_ssim: MS-SSIM needs 176 pixels" in row["warnings"] for row in rows)
    combined = json.loads((out / "summary.json").read_text())
    assert combined["methods"] == ["input", "slow-input"]
    assert (combined["suite"], combined["n"], combined["failed"], combined["seed"]) == ("pairs", 2, 0, 0)
    for summary in summaries:
        name = summary["method"]
        assert summary["n"] == 2
        assert json.loads((out / "summaries" / f"{name}.json").read_text()) == summary == combined["summaries"][name]
        assert summary["metrics"]["ssim_y"] == pytest.approx(float(rows[0]["ssim_y"]), abs=0.3)
        assert summary["metrics"]["ms_ssim"] is None


def test_a_finished_run_is_not_done_again_unless_asked(finished):
    table, out = finished
    runs = runs_of(table, out, "input")
    first = json.loads((out / "summary.json").read_text())
    before = (out / "rows.csv").read_bytes()
    told: list[Row] = []
    [second] = run_benchmarks(runs, on_row=lambda row, done, total: told.append(row))
    assert told == []
    assert (out / "rows.csv").read_bytes() == before
    assert {**second, "date": ""} == {**first, "date": ""}
    run_benchmarks(runs, overwrite=True, on_row=lambda row, done, total: told.append(row))
    assert len(told) == 2


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"methods": ["slow-input"]}, "methods"),
        ({"seed": 1}, "seed"),
        ({"limit": 1}, "limit"),
        ({"metrics": ("ssim_y",)}, "metrics"),
        ({"save_images": True}, "save_images"),
        ({"encoding": "linear"}, "encoding"),
        ({"device": "auto"}, "device"),
        ({"grey": True}, "grey"),
    ],
)
def test_rows_of_another_order_are_refused(finished, change, word):
    table, out = finished
    before = (out / "rows.csv").read_bytes()
    other = runs_of(table, out, *change.pop("methods", ["input"]), **change)
    with pytest.raises(UsageError, match=rf"{word} was .*, is .*--overwrite"):
        run_benchmarks(other)
    assert (out / "rows.csv").read_bytes() == before


def test_a_device_that_is_not_there_is_told_before_the_work_begins(finished, tmp_path):
    table, _ = finished
    with pytest.raises(UsageError, match="there is no device 'quantum' here"):
        run_benchmarks(runs_of(table, tmp_path / "elsewhere", "input", device="quantum"))
    assert not (tmp_path / "elsewhere").exists()


def test_the_summary_names_the_device(finished):
    _, out = finished
    assert json.loads((out / "summary.json").read_text())["device"] == "cpu"


def test_rows_of_other_code_and_rows_without_a_record_are_refused(finished):
    table, out = finished
    runs = runs_of(table, out, "input")
    record = json.loads((out / "record.json").read_text())
    (out / "record.json").write_text(json.dumps({**record, "code": {"unblur": "older"}}))
    with pytest.raises(UsageError, match="code of unblur was older, is"):
        run_benchmarks(runs)
    (out / "record.json").unlink()
    with pytest.raises(UsageError, match=r"no readable record\.json"):
        run_benchmarks(runs)


@pytest.mark.parametrize(
    "torn", [b"pairs,b1.png,inp", b'pairs,"b1 with\nline bre', b'pairs,"b1",\xff', b'pairs,"a""b\n']
)
def test_a_torn_last_row_is_dropped(finished, torn):
    _, out = finished
    whole = (out / "rows.csv").read_bytes()
    (out / "rows.csv").write_bytes(whole + torn)
    assert keys_of(read_rows(out / "rows.csv")) == [("input", 0), ("input", 1)]
    with RowWriter(out / "rows.csv") as writer:
        assert not writer.is_empty
    assert (out / "rows.csv").read_bytes() == whole


def test_a_run_goes_on_where_it_was_torn(finished):
    table, out = finished
    header, first, second = (out / "rows.csv").read_bytes().splitlines(keepends=True)
    (out / "rows.csv").write_bytes(header + first + second[:20])
    told: list[str] = []
    run_benchmarks(
        runs_of(table, out, "input"), on_row=lambda row, done, total: told.append(f"{row.image} {done} {total}")
    )
    assert told == ["b1.png 2 2"]
    assert keys_of(read_rows(out / "rows.csv")) == [("input", 0), ("input", 1)]


@pytest.mark.parametrize("size", [0, 10])
def test_a_torn_header_is_written_again(finished, size):
    _, out = finished
    whole = (out / "rows.csv").read_bytes()
    (out / "rows.csv").write_bytes(whole[:size])
    with RowWriter(out / "rows.csv") as writer:
        assert writer.is_empty
    assert (out / "rows.csv").read_bytes() == whole.splitlines(keepends=True)[0]


def test_rows_come_back_as_they_were_written(tmp_path):
    row = Row("pairs", 'a "b",\nc', "map", "shift", 3, 7, psnr=31.25, extra={"niqe": 3.5, "lpips": None})
    with RowWriter(tmp_path / "rows.csv", ["niqe", "lpips"]) as writer:
        assert writer.is_empty
        writer.append(row)
        assert not writer.is_empty
        assert writer.finished() == [row]
        with pytest.raises(OutputError, match="another benchmark is writing"):
            RowWriter(tmp_path / "rows.csv")
    with pytest.raises(DataError, match="no benchmark rows"):
        read_rows(tmp_path / "none.csv")


def test_the_command_takes_methods_metrics_and_their_settings(run, tmp_path):
    table, out = pairs_of(tmp_path, 1), tmp_path / "out"
    words = ["benchmark", "pairs", "--pairs", table, "--protocol", "plain", "--out", out]
    ran = run(*words, "--methods", "input,slow-input", "--set", "slow-input.steps=1", "--metrics", "psnr_y,ssim_3d")
    assert ran.code == 0
    assert b"ssim_3d" in ran.out
    assert json.loads((out / "record.json").read_text())["settings"]["settings.slow-input.steps"] == "1"
    for more, message in (
        (["--methods", "input,magic"], "no method named 'magic'"),
        (["--methods", "input,input"], "named twice"),
        (["--methods", "input,map", "--method", "map"], "one of the two"),
        (["--methods", "input,slow-input", "--set", "steps=1"], "METHOD.NAME=VALUE"),
        (["--method", "input", "--metrics", "beauty"], "no metric 'beauty'"),
        (["--method", "input"], "--overwrite"),
    ):
        refused = run(*words, *more)
        assert refused.code == 2
        assert message in refused.errors[0]


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def killed_runs(words: list[str], out: Path, kills: int, chance: random.Random) -> int:
    """Runs of the program, each but the last killed at a random moment; how many kills found it at work."""
    at_work = 0
    for turn in range(kills + 1):
        before = size_of(out / "rows.csv")
        with subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as run:
            if turn == kills:
                assert run.wait(timeout=240) == 0
                break
            while run.poll() is None and size_of(out / "rows.csv") <= before:
                time.sleep(0.01)  # importing torch takes the longest; kills during it would prove little
            time.sleep(chance.uniform(0, 0.5))
            at_work += run.poll() is None
            if chance.random() < 0.5:
                os.killpg(run.pid, signal.SIGKILL)  # its workers with it
            else:
                run.kill()
    return at_work


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_kills_lose_and_double_no_row(tmp_path):
    table, out = pairs_of(tmp_path, 30), tmp_path / "out"
    program = [sys.executable, "-m", "unblur.cli.main", "benchmark", "pairs", "--pairs", str(table)]
    wishes = ["--methods", "slow-input,input", "--protocol", "plain", "--jobs", "2", "--set", "slow-input.nap=0.06"]
    at_work = killed_runs([*program, *wishes, "--out", str(out)], out, 10, random.Random(0))
    assert at_work == 10
    rows = read_rows(out / "rows.csv")
    assert keys_of(rows) == sorted((method, i) for method in ("input", "slow-input") for i in range(30))
    assert [row.error for row in rows] == [""] * 60
    assert json.loads((out / "summary.json").read_text())["failed"] == 0
