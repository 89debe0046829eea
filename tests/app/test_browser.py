"""The page in Chromium, as a person uses it: the real program, the real library, files compared byte for byte."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from planted import plant, shake
from unblur.cli.main import main

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

WINDOWS = {"phone": (390, 844), "desk": (1440, 900)}
PATIENCE = 180_000
"""Milliseconds that a step of the page may take on a busy machine."""


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    command = [sys.executable, "-m", "unblur", "app", "--port", "0"]
    log = tmp_path_factory.mktemp("app") / "log"
    with log.open("w") as file, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True) as program:
        assert program.stdout is not None
        found = re.search(r"http://\S+", program.stdout.readline())
        assert found, log.read_text()
        yield found[0]
        program.terminate()
        program.communicate(timeout=60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """One visit of the page, and what the browser said and asked for meanwhile."""

    def __init__(self, browser: Any, address: str, window: str = "desk", scheme: str = "light") -> None:
        width, height = WINDOWS[window]
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.errors: list[str] = []
        """What the console, scripts and dialogs said."""
        self.hosts: set[str] = set()
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", self._note_dialog)
        self.page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))
        self.page.goto(address)
        self.button("Restore").wait_for()
        # Gradio builds the settings of the method last.
        self.page.wait_for_function("!document.querySelector('p.loading')")

    def close(self, address: str) -> None:
        """Nothing was complained of, and nothing came from elsewhere."""
        self.context.close()
        assert self.errors == []
        assert self.hosts == {address.split("/")[2]}

    def _note_dialog(self, dialog: Any) -> None:
        self.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def choose(self, *photos: Path) -> None:
        self.page.locator("#photos input[type=file]").set_input_files([str(photo) for photo in photos])
        self.page.locator("unblur-viewer.loaded").wait_for()

    def restore(self, method: str = "") -> None:
        if method:
            self.pick("#method", method)
        self.button("Restore").click()
        self.page.get_by_text("Done.").wait_for()
        self.page.locator("unblur-viewer .divider").wait_for()  # the answer is shown

    def pick(self, place: str, value: str) -> None:
        self.page.locator(f"{place} input").first.click()
        self.page.get_by_role("option", name=value, exact=True).click()

    def draw(self, element: Any, *shares: tuple[float, float]) -> None:
        """Press the pointer in an element and draw it from place to place, given as shares of its width and height."""
        element.scroll_into_view_if_needed()
        box = element.bounding_box()
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in shares]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=4)
        self.page.mouse.up()

    def download(self, name: str) -> bytes:
        with self.page.expect_download() as waiting:
            self.page.get_by_role("link", name=name, exact=True).click()
        return Path(waiting.value.path()).read_bytes()


@pytest.fixture(params=WINDOWS)
def visit(request, browser, address) -> Iterator[Visit]:
    visit = Visit(browser, address, request.param)
    yield visit
    visit.close(address)


@pytest.fixture(scope="module")
def blurry(tmp_path_factory) -> Path:
    """A shaken photo in colour, with EXIF."""
    planted = plant(shake(9, 3), (150, 180), light="linear")
    grey = (planted.blurry[0, 0].numpy() * 255).round().astype(np.uint8)
    path = tmp_path_factory.mktemp("photos") / "shaken.jpg"
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    Image.fromarray(np.stack([grey, grey, (grey * 0.9).astype(np.uint8)], -1)).save(path, quality=95, exif=exif)
    return path


def by_command_line(photo: Path, folder: Path, *words: str) -> bytes:
    folder.mkdir(exist_ok=True)
    out = folder / f"out{photo.suffix}"
    assert main(["restore", str(photo), "-o", str(out), "--overwrite", "-q", *words]) == 0
    return out.read_bytes()


def test_first_answer_in_two_clicks(visit, blurry):
    visit.choose(blurry)
    visit.restore()
    assert "auto" in visit.page.locator(".found").inner_text()
    assert visit.download("Download") == by_command_line(blurry, blurry.parent / "out")
    assert visit.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_slider_and_zoom_by_keys(visit, blurry):
    visit.choose(blurry)
    visit.restore("input")
    slider = visit.page.get_by_label("Where before ends and after begins")
    before = float(slider.input_value())
    slider.press("ArrowRight")
    assert float(slider.input_value()) > before
    stage, pane = visit.page.locator("unblur-viewer .stage"), visit.page.locator("unblur-viewer .pane")
    for keys, scale, shift in (("+", 1.5, 0), ("ArrowRight", 1.5, -40), ("0", 1, 0)):
        before = _transform(pane)
        stage.press(keys)
        assert _transform(pane)[0] == pytest.approx(scale)
        if shift:
            assert _transform(pane)[1] == pytest.approx(before[1] + shift)


def _transform(pane: Any) -> tuple[float, float]:
    """Enlargement, and shift to the right in pixels."""
    numbers = re.findall(r"-?[\d.]+", pane.evaluate("pane => getComputedStyle(pane).transform"))
    return float(numbers[0]), float(numbers[4])


def test_slider_is_drawn_in_the_photo(visit, blurry):
    visit.choose(blurry)
    visit.restore("input")
    visit.draw(visit.page.locator("unblur-viewer .stage"), (0.5, 0.5), (0.2, 0.5))
    slider = visit.page.get_by_label("Where before ends and after begins")
    assert float(slider.input_value()) == pytest.approx(20, abs=2)


@pytest.mark.parametrize("window", WINDOWS)
def test_dark_mode(browser, address, blurry, window):
    visit = Visit(browser, address, window, "dark")
    visit.choose(blurry)
    visit.restore("input")
    colours = [
        visit.page.locator(place).first.evaluate(f"element => getComputedStyle(element).{name}")
        for place, name in (("body", "backgroundColor"), ("#title h1", "color"))
    ]
    ground, text = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
    assert ground < 200
    assert text > 500
    visit.close(address)


def test_kernel_is_edited_and_used_again(visit, blurry, tmp_path):
    visit.choose(blurry)
    visit.restore("map")
    first = visit.download("Download")
    visit.page.locator("#kernel button").first.click()
    visit.button("Thin").click()
    visit.draw(visit.page.locator("unblur-kernel canvas"), (0.52, 0.48))
    visit.button("Restore with this kernel").click()
    visit.page.locator(".found, .answer").filter(has_text="known-kernel").first.wait_for()
    second = visit.download("Download")
    assert second != first
    kernel = tmp_path / "k.npy"
    kernel.write_bytes(visit.download("Kernel (NumPy)"))
    assert second == by_command_line(blurry, tmp_path, "-m", "known-kernel", "--kernel", str(kernel))


def test_kernel_is_cleared_and_painted_anew(visit, blurry, tmp_path):
    """Three pixels in a row: with the pointer, with the keys; what was erased is not among them."""
    visit.choose(blurry)
    visit.restore("input")
    visit.page.locator("#kernel button").first.click()
    visit.page.locator("#kernel").get_by_role("button", name="Clear kernel", exact=True).click()
    visit.page.wait_for_function("document.querySelector('unblur-kernel').cells.length === 25")
    canvas = visit.page.locator("unblur-kernel canvas")
    visit.draw(canvas, (0.5, 0.5), (0.54, 0.5))
    visit.draw(canvas, (0.1, 0.1))
    visit.page.get_by_role("radio", name="Erase").check()
    visit.draw(canvas, (0.1, 0.1))
    visit.page.get_by_role("radio", name="Paint").check()
    for key in ("ArrowRight", "ArrowDown"):
        for _ in range(13 if key == "ArrowRight" else 10):
            canvas.press(key)
    canvas.press("Enter")
    visit.page.wait_for_timeout(1_000)  # until Gradio has taken it
    visit.button("Restore with this kernel").click()
    visit.page.locator(".found").filter(has_text="known-kernel").first.wait_for()
    kernel = np.load(io.BytesIO(visit.download("Kernel (NumPy)")))
    rows, columns = np.nonzero(kernel)
    assert len(rows) == 3
    assert kernel[rows, columns] == pytest.approx(1 / 3)


def test_a_marked_part_alone_is_restored(visit, blurry, tmp_path):
    photo = tmp_path / "photo.png"
    with Image.open(blurry) as image:
        image.save(photo)
    visit.choose(photo)
    visit.button("Mark: only region").click()
    visit.draw(visit.page.locator("unblur-viewer .stage"), (0.25, 0.25), (0.8, 0.8))
    field = visit.page.get_by_label("Only region")
    field.wait_for()
    visit.page.wait_for_function(
        "document.querySelector('#option-only-region textarea, #option-only-region input').value"
    )
    visit.page.wait_for_timeout(2_000)  # until Gradio has taken it
    said = field.input_value()
    assert len(said.split(",")) == 4
    visit.restore("map")
    x, y, width, height = map(int, said.split(","))
    after = np.asarray(Image.open(io.BytesIO(visit.download("Download"))))
    changed = (after != np.asarray(Image.open(photo))).any(-1)
    assert changed.any()
    changed[y : y + height, x : x + width] = False
    assert not changed.any()


def test_a_mask_from_a_file(visit, blurry, tmp_path):
    photo, mask = tmp_path / "photo.png", tmp_path / "mask.png"
    with Image.open(blurry) as image:
        image.save(photo)
        marked = np.zeros((image.height, image.width), np.uint8)
    marked[30:120, 40:150] = 255
    Image.fromarray(marked).save(mask)
    visit.choose(photo)
    visit.page.locator("#more button").first.click()
    visit.page.locator("#option-mask input[type=file]").set_input_files(str(mask))
    visit.page.locator("#option-mask").get_by_text("mask.png").wait_for()
    visit.restore("map")
    assert visit.download("Download") == by_command_line(photo, tmp_path, "-m", "map", "--mask", str(mask))


def test_the_photo_so_far_is_shown_meanwhile(visit, blurry):
    visit.choose(blurry)
    visit.pick("#method", "map")
    visit.button("Restore").click()
    visit.page.locator("unblur-viewer .right").get_by_text("so far").wait_for()
    visit.page.wait_for_function("document.querySelectorAll('unblur-viewer img')[1].naturalWidth > 0")
    visit.page.get_by_text("Done.").wait_for()


def test_work_is_called_off(visit, tmp_path):
    rows, columns = np.mgrid[:700, :900]
    waves = (127 + 60 * np.sin(rows / 17) + 60 * np.sin(columns / 23)).astype(np.uint8)
    Image.fromarray(np.stack([waves] * 3, -1)).save(tmp_path / "large.png")
    visit.choose(tmp_path / "large.png")
    visit.pick("#method", "selfdeblur")
    visit.button("Restore").click()
    visit.button("Cancel").click()
    visit.page.get_by_text("Cancelled.").wait_for()
    visit.restore("input")  # there is nothing left of it in the way


def test_many_photos_come_back_as_an_archive_with_a_report(visit, blurry, tmp_path):
    other = tmp_path / "other.png"
    with Image.open(blurry) as image:
        image.rotate(180).save(other)
    visit.choose(blurry, other)
    visit.restore("input")
    with visit.page.expect_download() as waiting:
        visit.page.locator("#archive a").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        names = archive.namelist()
        report = archive.read("report.jsonl").decode()
        assert archive.read("other.unblur.png") == by_command_line(other, tmp_path, "-m", "input")
    assert {"shaken.unblur.jpg", "other.unblur.png", "report.jsonl"} <= set(names)
    assert [json.loads(line)["status"] for line in report.splitlines()] == ["done", "done"]


def test_two_settings_side_by_side(visit, blurry):
    visit.choose(blurry)
    visit.restore("input")
    visit.pick("#method", "map")
    visit.button("Restore").click()
    visit.page.locator("#answers input").first.wait_for()
    visit.page.wait_for_function("document.querySelector('#answers input').value.includes('map')")
    visit.page.locator("#against input").first.click()
    visit.page.get_by_role("option").filter(has_text="input").click()
    visit.page.wait_for_function("document.querySelector('unblur-viewer').innerText.includes('input')")


def test_another_photo_takes_the_place_of_an_answer(visit, blurry, tmp_path):
    """Neither its line nor its download stays below the next photo, which is also what its kernel is used on."""
    other, text = tmp_path / "other.png", tmp_path / "notes.txt"
    with Image.open(blurry) as image:
        image.rotate(180).save(other)
    text.write_text("no photo")
    visit.choose(blurry)
    visit.restore("input")
    visit.page.locator("#photos").get_by_label("Clear").first.click()
    visit.choose(other)
    visit.page.locator(".found").wait_for(state="detached")
    visit.page.locator("#kernel button").first.click()
    visit.draw(visit.page.locator("unblur-kernel canvas"), (0.5, 0.5), (0.54, 0.5))
    visit.page.wait_for_timeout(1_000)  # until Gradio has taken it
    visit.button("Restore with this kernel").click()
    visit.page.locator(".found").filter(has_text="known-kernel").wait_for()
    assert visit.page.locator("#answers input").input_value().startswith("2. other.png")
    visit.page.locator("#photos").get_by_label("Clear").first.click()
    visit.page.locator("#photos input[type=file]").set_input_files(str(text))
    visit.page.get_by_role("alert").wait_for()
    visit.page.locator(".found").wait_for(state="detached")


def test_wrong_options_are_said_in_one_sentence(visit, blurry):
    visit.choose(blurry)
    visit.page.locator("#more button").first.click()
    visit.page.get_by_label("Kernel size").fill("-3")
    visit.button("Restore").click()
    visit.page.get_by_role("alert").wait_for()
    assert "Traceback" not in visit.page.locator("#status").inner_text()


def test_names_stay_text(visit, tmp_path):
    """Those of photos that can be read and of others; Gradio leaves out the signs that it knows no use for."""
    image = Image.fromarray(np.full((40, 40), 90, np.uint8))
    names = [
        "<img src=x onerror=alert(1)>.png",
        "';alert(2);'.png",
        "a#b?c%20d.png",
        "\u202egnp.exe.png",
        "two  spaces.png",
    ]
    for name in names:
        image.save(tmp_path / name)
        visit.choose(tmp_path / name)
        visit.restore("input")
        with Image.open(io.BytesIO(visit.download("Download"))) as restored:
            assert restored.size == image.size
        visit.page.locator("#photos").get_by_label("Clear").first.click()
    broken = tmp_path / "<script>alert(3)<\u2215script>.png"
    broken.write_bytes(b"no photo")
    visit.page.locator("#photos input[type=file]").set_input_files(str(broken))
    visit.page.get_by_role("alert").wait_for()
    assert visit.page.locator("#layout img[src=x], #layout script").count() == 0


@pytest.mark.parametrize("look", [(window, scheme) for window in WINDOWS for scheme in ("light", "dark")])
def test_axe_finds_nothing(browser, address, blurry, axe, look):
    visit = Visit(browser, address, *look)
    found = _violations(visit.page, axe)
    visit.choose(blurry)
    visit.restore("map")
    visit.page.locator("#kernel button").first.click()
    visit.page.locator("#more button").first.click()
    found += _violations(visit.page, axe)
    assert found == []
    visit.close(address)


def _violations(page: Any, rules: str) -> list[tuple[str, str, list[str]]]:
    page.evaluate(rules)
    report = page.evaluate("axe.run()")
    return [(one["impact"], one["id"], [node["html"][:200] for node in one["nodes"]]) for one in report["violations"]]


@pytest.fixture(scope="module")
def axe(tmp_path_factory) -> str:
    """The checks of axe-core, from npm."""
    folder = tmp_path_factory.mktemp("axe")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("axe-core comes through npm, which is not here")
    done = subprocess.run([npm, "pack", "axe-core", "--silent"], check=False, cwd=folder, capture_output=True)
    if done.returncode:
        pytest.skip("axe-core cannot be downloaded here")
    with tarfile.open(next(folder.glob("axe-core-*.tgz"))) as archive:
        script = archive.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()
