import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from unblur.benchmarks.options import BenchmarkOptions
from unblur.benchmarks.pair_run import file_stem
from unblur.benchmarks.report import write as write_module
from unblur.benchmarks.rows import Row, RowWriter
from unblur.benchmarks.summary import combine, summarise, write_summary
from unblur.images.files import write_image
from unblur.images.kernels import write_kernel
from unblur.images.picture import Picture

HOSTILE = "<script>document.title='owned'</script>\"><img src=x onerror=\"document.title='owned'\">|a&b\u202e"
LEVEL = {"input": 23.0, "known-kernel": 34.0, "map": 32.0}


def make_run(out: Path, methods: list[str], *, images: bool = True, suite: str = "levin", name: str = "im{}_kernel{}"):
    """A finished run of 4 images with 8 kernels, its numbers planted."""
    out.mkdir(parents=True)
    chance = np.random.default_rng(0)
    rows = [
        Row(
            suite, name.format(i // 8 + 1, i % 8 + 1), method, "shift", 0, i, psnr=LEVEL[method] + i % 8 + i // 8 / 10,
            ssim=0.9, psnr_input=23.0, ssim_input=0.7, gain=LEVEL[method] - 23, error_ratio=1.5 + (i == 3) * 4,
            kernel_similarity=0.9, seconds=0.1 * len(method), peak_mb=300.0, extra={"niqe": 3.0, "lpips": None},
            warnings="no lpips: it is not here",
        )
        for method in methods
        for i in range(32)
    ]  # fmt: skip
    with RowWriter(out / "rows.csv", ["niqe", "lpips"]) as writer:
        for row in rows:
            writer.append(row)
    runs = [BenchmarkOptions(suite, method, "shift", out, metrics=("niqe", "lpips")) for method in methods]
    (out / "record.json").write_text(json.dumps({"settings": {"methods": methods}}))
    summaries = [summarise([r for r in rows if r.method == o.method], o, jobs=1, blurs=8) for o in runs]
    write_summary(combine(summaries) if len(methods) > 1 else summaries[0], out / "summary.json")
    if images:
        for row in rows:
            folders = ("pairs/blurry", "pairs/sharp") if row.method == methods[0] else ()  # all methods have the same
            subfolder = row.method if len(methods) > 1 else ""
            pixels = chance.integers(0, 255, (40, 48, 3), dtype=np.uint8)
            for place in (f"images/{subfolder}", *folders):
                (out / place).mkdir(parents=True, exist_ok=True)
                write_image(
                    Picture(pixels, "rgb"), out / place / f"{file_stem(row.index, row.image)}.png", overwrite=True
                )
            (out / "kernels" / subfolder).mkdir(parents=True, exist_ok=True)
            write_kernel(
                out / "kernels" / subfolder / f"{file_stem(row.index, row.image)}.png", np.ones((5, 5)), overwrite=True
            )


def text_of(page: str) -> str:
    return re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)


def test_one_page_and_one_text_with_every_element(run, tmp_path):
    make_run(tmp_path / "run", ["input", "known-kernel", "map"])
    ran = run("report", tmp_path / "run")
    assert ran.code == 0
    assert ran.out.decode().split() == [str(tmp_path / "run" / "report.html"), str(tmp_path / "run" / "report.md")]
    page = (tmp_path / "run" / "report.html").read_text()
    text = (tmp_path / "run" / "report.md").read_text()
    assert len(page) < 5_000_000
    for part in (
        "Means", "Further metrics", "Paired differences", "PSNR for each kernel", "Beside published numbers", "Remarks",
        "How it was measured",
    ):  # fmt: skip
        assert f">{part}<" in page
        assert f"### {part}" in text
    for part in ("Best", "Median", "Worst", "kernel found"):
        assert part in page
    assert page.count("data:image/jpeg") == 3 * 3 * 3
    assert page.count("data:image/svg+xml") == 1
    assert ">Quality against time<" in page
    assert "background:#fde725" in page  # the best kernel of the best method
    assert "SelfDeblur" in page
    assert "33.07" in page
    assert "33.07" in text
    assert "no lpips: it is not here" in page
    assert "n/a" in page


def test_the_numbers_are_those_of_the_rows(run, tmp_path):
    make_run(tmp_path / "run", ["input", "map"], images=False)
    run("report", tmp_path / "run")
    text = (tmp_path / "run" / "report.md").read_text()
    assert "| map | 32 | **35.65** (" in text  # 32 + mean of 0..7 + mean of 0, .1, .2, .3
    assert "| input - map | -9.00 (-9.00 to -9.00) | 0% (of 32) |" in text
    assert "| map | 32.15 | 33.15 | 34.15 | 35.15 | 36.15 | 37.15 | 38.15 | 39.15 |" in text
    assert "97% (31 of 32)" in text


def test_published_numbers_of_another_protocol_say_so(run, tmp_path):
    make_run(tmp_path / "run", ["map"], suite="gopro", images=False)
    run("report", tmp_path / "run")
    assert "protocol differs: gopro, ours shift" in (tmp_path / "run" / "report.html").read_text()


def test_without_images_the_sheet_says_so(run, tmp_path):
    make_run(tmp_path / "run", ["map"], images=False)
    run("report", tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text()
    assert "run the benchmark with --save-images" in page
    assert "data:image/jpeg" not in page


def test_a_page_never_grows_beyond_its_limit(run, tmp_path, monkeypatch):
    make_run(tmp_path / "run", ["map"])
    run("report", tmp_path / "run")
    full = (tmp_path / "run" / "report.html").stat().st_size
    monkeypatch.setattr(write_module, "LARGEST", full * 3 // 5)
    run("report", tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text()
    assert "The pictures are left out" in page
    assert len(page) < full * 3 // 5


def test_runs_of_several_folders_are_put_side_by_side(run, tmp_path):
    make_run(tmp_path / "runs" / "old", ["map"], images=False)
    make_run(tmp_path / "runs" / "new", ["map"], images=False)
    make_run(tmp_path / "runs" / "other", ["input"], suite="sun", images=False)
    assert run("report", tmp_path / "runs", "--out", tmp_path / "page").code == 0
    text = (tmp_path / "page" / "report.md").read_text()
    assert "| map (new) - map (old) | +0.00" in text
    assert text.index("## levin, protocol shift") < text.index("## sun, protocol shift")


def test_an_unfinished_run_and_failed_images_are_told(run, tmp_path):
    make_run(tmp_path / "run", ["map"], images=False)
    (tmp_path / "run" / "summary.json").unlink()
    with RowWriter(tmp_path / "run" / "rows.csv", ["niqe", "lpips"]) as writer:
        writer.append(Row("levin", "broken", "map", "shift", 0, 32, error="is cut short"))
    assert run("report", tmp_path / "run").code == 0
    text = (tmp_path / "run" / "report.md").read_text()
    assert "not finished, 33 rows so far" in text
    assert "| map | broken | failed: is cut short |" in text
    assert "33 (1 failed)" in text


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n", "suite,image\n"])
def test_folders_without_a_run_are_refused_in_one_line(run, tmp_path, content):
    if content is not None:
        (tmp_path / "rows.csv").write_text(content)
    ran = run("report", tmp_path)
    assert ran.code == 2
    assert len(ran.errors) == 1
    assert "rows" in ran.errors[0]


def test_a_missing_extra_is_one_sentence(run, tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "unblur.benchmarks.report.write")
    monkeypatch.setitem(sys.modules, "jinja2", None)
    ran = run("report", tmp_path)
    assert ran.code == 2
    assert ran.errors == [
        'unblur: error: unblur report needs jinja2, which is not installed; install it with pip install "unblur[bench]"'
    ]


def test_hostile_names_are_shown_as_they_are(run, tmp_path):
    make_run(tmp_path / "run", ["map"], name=HOSTILE + "{}{}")
    assert run("report", tmp_path / "run").code == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert "<script" not in page
    assert len(re.findall("<img [^>]*>", page)) == page.count('<img src="data:image/')
    assert "document.title='owned'" in text_of(page).replace("&#39;", "'")
    assert "<script" not in (tmp_path / "run" / "report.md").read_text()


def test_a_hostile_folder_stays_text(run, tmp_path):
    """Where two runs share a method, its label has the folder's name, also in the chart."""
    for folder in ("$x$ <b>&", "plain"):
        make_run(tmp_path / "runs" / folder, ["map"], images=False)
    assert run("report", tmp_path / "runs", "--out", tmp_path / "page").code == 0
    page = (tmp_path / "page" / "report.html").read_text()
    assert "map ($x$ &lt;b&gt;&amp;)" in page
    assert "<b>" not in page
    assert "<b>" not in (tmp_path / "page" / "report.md").read_text()


def test_nothing_comes_from_outside(run, tmp_path):
    make_run(tmp_path / "run", ["input", "map"])
    run("report", tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text()
    sources = re.findall(r"""(?:src|href|action|data|poster)\s*=\s*["']?([^"'>]*)|url\(([^)]*)\)|@import""", page)
    assert sources
    assert all(address.startswith("data:image/") for address, _ in sources)
    assert "default-src 'none'" in page


@pytest.mark.browser
def test_a_browser_shows_it_and_runs_nothing(run, tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium here")
    make_run(tmp_path / "run", ["input", "map"], name=HOSTILE + "{}{}")
    run("report", tmp_path / "run")
    words = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
        "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}",
        "--enable-logging=stderr", "--v=0",
    ]  # fmt: skip
    address = (tmp_path / "run" / "report.html").as_uri()
    shown = subprocess.run([*words, "--dump-dom", address], capture_output=True, text=True, check=True, timeout=120)
    assert "<title>unblur benchmark report</title>" in shown.stdout
    assert "document.title='owned'" in text_of(shown.stdout).replace("&lt;script&gt;", "").replace("&amp;", "&")
    assert "CONSOLE" not in shown.stderr  # no script, no blocked or missing resource
    picture = tmp_path / "page.png"
    subprocess.run(
        [*words, "--window-size=1200,2000", f"--screenshot={picture}", address],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    assert picture.stat().st_size > 50_000
