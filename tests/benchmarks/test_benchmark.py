import csv
import io
import json
import math
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import data_trees as trees
from living_processes import workers_of
from unblur.benchmarks.options import BenchmarkOptions
from unblur.benchmarks.pair_run import run_pair
from unblur.benchmarks.published import published_results
from unblur.benchmarks.rows import Row, RowWriter
from unblur.benchmarks.run import run_benchmark
from unblur.benchmarks.suites import open_suite, suites
from unblur.benchmarks.summary import summarise
from unblur.benchmarks.tables import summary_table
from unblur.errors import DataError, OutputError, SettingsError, UnknownMethodError, UsageError

ISSUE_KEYS = {
    "suite", "method", "protocol", "n", "failed", "psnr", "ssim", "psnr_input", "gain", "success_share", "error_ratio",
    "seconds_median", "peak_mb", "threads", "hardware", "commit", "seed",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_cache_outside(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def table(tmp_path) -> Path:
    """Three pairs without kernels, the second of them damaged."""
    for i in range(3):
        sharp = trees.photo(64, 72, 3, i)
        trees.save(tmp_path / f"s{i}.png", sharp)
        trees.save(tmp_path / f"b{i}.png", (sharp // 2 + 60))
    whole = (tmp_path / "b1.png").read_bytes()
    (tmp_path / "b1.png").write_bytes(whole[: len(whole) // 2])
    place = tmp_path / "pairs.csv"
    place.write_text("blurry,sharp\n" + "".join(f"b{i}.png,s{i}.png\n" for i in range(3)))
    return place


def options_of(table: Path, out: Path, **wishes) -> BenchmarkOptions:
    return BenchmarkOptions(
        "pairs", wishes.pop("method", "input"), wishes.pop("protocol", "shift"), out, pair_list=table, **wishes
    )


def read_rows(out: Path) -> list[dict[str, str]]:
    with (out / "rows.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_run_writes_a_row_an_image_and_a_summary(table, tmp_path):
    out = tmp_path / "deep" / "out"
    told: list[tuple[str, int, int]] = []
    summary = run_benchmark(
        options_of(table, out, seed=7), jobs=2, on_row=lambda row, done, total: told.append((row.image, done, total))
    )
    rows = {row["image"]: row for row in read_rows(out)}
    assert set(rows) == {"b0.png", "b1.png", "b2.png"}
    assert [(done, total) for _, done, total in told] == [(1, 3), (2, 3), (3, 3)]
    assert rows["b1.png"]["error"]
    assert rows["b1.png"]["psnr"] == ""
    for name in ("b0.png", "b2.png"):
        row = rows[name]
        assert row["error"] == ""
        assert row["psnr"] == row["psnr_input"] != ""
        assert (float(row["gain"]), row["threads"], row["seed"]) == (0, "1", "7")
        assert float(row["peak_mb"]) > 50
    assert json.loads((out / "summary.json").read_text()) == summary
    assert summary.keys() >= ISSUE_KEYS
    assert (summary["n"], summary["failed"], summary["jobs"]) == (3, 1, 2)
    mean = (float(rows["b0.png"]["psnr"]) + float(rows["b2.png"]["psnr"])) / 2
    assert summary["psnr"] == pytest.approx(mean, rel=1e-5)
    assert summary["error_ratio"] is None
    assert summary["success_share"] is None


def test_a_process_that_dies_costs_its_row_and_no_other(table, tmp_path):
    over = threading.Event()

    def kill_all_workers():
        while not over.is_set():
            for child in workers_of(os.getpid()):
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            time.sleep(0.02)

    killer = threading.Thread(target=kill_all_workers)

    def after_the_first(row: Row, done: int, total: int) -> None:
        if done == 1:
            killer.start()

    summary = run_benchmark(options_of(table, tmp_path / "out"), on_row=after_the_first)
    over.set()
    killer.join()
    rows = read_rows(tmp_path / "out")
    assert [row["image"] for row in rows] == ["b0.png", "b1.png", "b2.png"]
    # A kill may also strike while the photo is being decoded; then the row blames the file.
    assert [bool(row["error"]) for row in rows] == [False, True, True]
    assert "the process that restored it died (SIGKILL)" in {row["error"] for row in rows}
    assert summary["failed"] == 2


def test_what_can_be_known_before_is_said_before(table, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(UnknownMethodError):
        run_benchmark(options_of(table, out, method="magic"))
    with pytest.raises(SettingsError):
        run_benchmark(options_of(table, out, settings={"sharpness": 11}))
    with pytest.raises(UsageError, match="from 1 up"):
        run_benchmark(options_of(table, out, limit=0))
    with pytest.raises(UsageError, match="goes with a list of pairs"):
        run_benchmark(BenchmarkOptions("pairs", "input", "shift", out))
    with pytest.raises(UsageError, match="no suite named"):
        run_benchmark(BenchmarkOptions("kodak", "input", "shift", out))
    with pytest.raises(DataError, match="no data folder"):
        run_benchmark(BenchmarkOptions("levin", "input", "shift", out, data=tmp_path / "nowhere"))
    assert not out.exists()
    out.write_text("a file")
    with pytest.raises(OutputError, match="cannot be made"):
        run_benchmark(options_of(table, out))


def test_protocols_differ(table, tmp_path):
    tmp_path.joinpath("out").mkdir()
    plain, shift = (run_pair(options_of(table, tmp_path / "out", protocol=p), 0) for p in ("plain", "shift"))
    assert (plain.protocol, shift.protocol) == ("plain", "shift")
    assert plain.psnr != shift.psnr


def test_a_pair_of_two_cameras_is_aligned_before_it_is_scored(tmp_path):
    sharp = trees.photo(120, 140, 3, 0)
    trees.save(tmp_path / "s.png", sharp)
    trees.save(tmp_path / "b.png", np.roll(sharp // 2, (1, 2), (0, 1)))
    (tmp_path / "pairs.csv").write_text("blurry,sharp\nb.png,s.png\n")
    row = run_pair(options_of(tmp_path / "pairs.csv", tmp_path, protocol="realblur"), 0)
    assert row.error == ""
    assert (row.shift_right, row.shift_down) == (pytest.approx(2, abs=0.1), pytest.approx(1, abs=0.1))
    assert row.psnr > 25


def test_the_closest_view_along_a_shake_is_the_truth(tmp_path):
    """Köhler's layout: every file must be there, only those of the first pair are looked at."""
    folder = tmp_path / "kohler"
    for number in (f"{image}_{shake}" for image in range(1, 5) for shake in range(1, 13)):
        image, shake = number.split("_")
        trees.save(folder / f"Blurry{number}.png", trees.photo(2, 2, 3, 0))
        trees.save(folder / f"Image{image}/Kernel{shake}/GroundTruth{number}_1.png", trees.photo(2, 2, 3, 0))
    views = [trees.photo(208, 210, 3, seed) for seed in range(3)]
    for number, view in enumerate(views, start=1):
        trees.save(folder / f"Image1/Kernel1/GroundTruth1_1_{number}.png", view)
    trees.save(folder / "Blurry1_1.png", np.roll(views[2], 3, 1))
    row = run_pair(BenchmarkOptions("kohler", "input", "kohler", tmp_path, data=tmp_path), 0)
    assert row.error == ""
    assert row.shift_right == 3
    assert row.ssim > 0.99


def test_restored_images_are_kept_where_asked(table, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    run_pair(options_of(table, out), 2)
    assert not list(out.iterdir())
    run_pair(options_of(table, out, save_images=True), 2)
    kept = sorted(str(path.relative_to(out)) for path in out.rglob("*.png"))
    assert kept == ["images/0002-b2.png.png", "pairs/blurry/0002-b2.png.png", "pairs/sharp/0002-b2.png.png"]


@pytest.mark.parametrize("method", ["known-kernel", "input"])
def test_error_ratios_are_those_over_the_true_kernels_restoration(tmp_path, method):
    trees.levin_tree(tmp_path, side=96)
    (tmp_path / "out").mkdir()
    row = run_pair(BenchmarkOptions("levin", method, "shift", tmp_path / "out", data=tmp_path), 9)
    assert row.error == ""
    assert row.image == "im2_kernel2"
    if method == "known-kernel":
        assert (row.error_ratio, row.error_ratio_spectral) == (1, 1)
        assert row.gain is not None
        assert row.gain > 3
    else:
        assert row.gain == 0
        reference = run_pair(BenchmarkOptions("levin", "known-kernel", "shift", tmp_path / "out", data=tmp_path), 9)
        assert row.error_ratio == pytest.approx(10 ** ((reference.psnr - row.psnr) / 10), rel=1e-4)
        again = run_pair(BenchmarkOptions("levin", method, "shift", tmp_path / "out", data=tmp_path), 9)
        assert again.error_ratio == row.error_ratio


def test_the_true_kernel_is_told_to_known_kernel_alone(table, tmp_path):
    (tmp_path / "out").mkdir()
    row = run_pair(options_of(table, tmp_path / "out", method="known-kernel"), 0)
    assert "kernel" in row.error


def test_rows_are_whole_whatever_they_hold(tmp_path):
    place = tmp_path / "rows.csv"
    hostile = 'a "name", with\nline\tbreaks and \udcff'
    with RowWriter(place) as writer:
        writer.append(Row("pairs", hostile, "input", "plain", 0, psnr=math.inf))
        writer.append(Row("pairs", "b", "input", "plain", 0, error="went\nwrong"))
        with place.open(newline="", encoding="utf-8") as lines:  # before the file is closed: rows are out at once
            first, second = csv.DictReader(lines)
    assert first["image"] == hostile.replace("\udcff", "\\udcff")
    assert first["psnr"] == "inf"
    assert second["error"] == "went\nwrong"
    with pytest.raises(OutputError, match="cannot be written"):
        RowWriter(tmp_path / "nowhere" / "rows.csv")


def test_success_counts_failed_images_as_failures(tmp_path):
    rows = [
        Row("levin", "a", "map", "shift", 0, psnr=30.0, error_ratio=1.5, seconds=1.0),
        Row("levin", "b", "map", "shift", 0, psnr=math.inf, error_ratio=3.0, seconds=3.0),
        Row("levin", "c", "map", "shift", 0, psnr=20.0, error_ratio=3.1, seconds=2.0),
        Row("levin", "d", "map", "shift", 0, error="no"),
    ]
    summary = summarise(rows, BenchmarkOptions("levin", "map", "shift", tmp_path), jobs=1)
    assert summary["success_share"] == 0.5
    assert summary["seconds_median"] == 2
    assert summary["psnr"] is None  # a mean that is not finite says nothing, and JSON cannot hold it
    json.dumps(summary, allow_nan=False)


def test_every_published_number_belongs_to_a_suite_and_says_where_it_is_from():
    for suite in suites():
        for result in published_results(suite, "shift"):
            assert result["source"]
            assert 15 < result["psnr"] < 40
    known = next(r for r in published_results("levin", "shift") if r["method"] == "known kernel")
    assert (known["psnr"], known["ssim"], known["error_ratio_spectral"]) == (34.53, 0.949, 1.0)
    assert published_results("levin", "plain") == []
    assert {r["method"] for r in published_results("dublid-bsds", "shift")} >= {"DUBLID"}


def test_the_table_shows_ours_and_theirs(tmp_path):
    from rich.console import Console

    rows = [Row("levin", "a", "map", "shift", 3, psnr=31.234, ssim=0.9, psnr_input=23.2, gain=8.0, seconds=0.5)]
    console = Console(width=200, file=io.StringIO())
    console.print(summary_table([summarise(rows, BenchmarkOptions("levin", "map", "shift", tmp_path, seed=3), jobs=1)]))
    text = console.file.getvalue()
    for part in ("31.23", "+8.00", "23.20", "blurry input", "SelfDeblur", "33.07", "seed 3"):
        assert part in text


def test_suites_open_their_data(tmp_path):
    trees.levin_tree(tmp_path)
    assert len(open_suite("levin", tmp_path)) == 32
