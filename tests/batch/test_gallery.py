"""The page with all photos before and after."""

import base64
import io
import os
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from unblur.batch.gallery import Gallery
from unblur.batch.work import PhotoResult
from unblur.errors import UsageError
from unblur.images.limits import Limits

COPY = ("--method", "input")


class Page(HTMLParser):
    """What a browser would find: tags, pictures, links, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.sources += [given["src"]] if "src" in given else []
        self.links += [given["href"]] if "href" in given else []

    def handle_data(self, data: str) -> None:
        self.words += data

    def pictures(self) -> list[Image.Image]:
        coded = [source.removeprefix("data:image/jpeg;base64,") for source in self.sources]
        return [Image.open(io.BytesIO(base64.b64decode(data, validate=True))) for data in coded]


def page_of(path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def test_shows_each_photo_before_and_after_and_what_failed(run, make_photo, tmp_path):
    for number in range(2):
        make_photo(f"in/{number}.png", size=(700, 350), seed=number)
    (tmp_path / "in/bad.jpg").write_bytes(b"\xff\xd8\xff no photo")
    ran = run("restore", tmp_path / "in", "-o", tmp_path / "out", "--gallery", tmp_path / "g/all.html", *COPY)
    assert ran.code == 1
    page = page_of(tmp_path / "g/all.html")
    pictures = page.pictures()
    assert [picture.size for picture in pictures] == [(320, 160)] * 4
    original = Image.open(tmp_path / "in/0.png").convert("RGB").resize((320, 160), Image.Resampling.BICUBIC)
    differences = [np.abs(np.asarray(picture, float) - np.asarray(original, float)).mean() for picture in pictures]
    assert max(differences[:2]) < 6
    assert min(differences[2:]) > 40
    assert page.links[:2] == ["../in/0.png", "../out/0.png"]
    assert page.tags.count("figure") == 3
    assert "failed" in page.words
    assert "damaged or cut short" in page.words


def test_needs_nothing_beside_itself_and_runs_no_code(run, make_photo, tmp_path):
    run("restore", make_photo(), "--gallery", tmp_path / "all.html", *COPY)
    page = page_of(tmp_path / "all.html")
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.sources)


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.png", "a\"'&.png", os.fsdecode(b"\xff.png")])
def test_names_are_text_and_links_lead_to_the_file(run, make_photo, tmp_path, name):
    run("restore", make_photo(name), "--gallery", tmp_path / "all.html", *COPY)
    page = page_of(tmp_path / "all.html")
    assert page.tags.count("img") == 2
    shown = os.fsencode(name).decode("utf-8", "surrogateescape").encode("utf-8", "backslashreplace").decode()
    assert shown in page.words
    assert re.fullmatch(r"[\w%./~-]+", page.links[0])


def test_linear_and_deep_and_transparent_photos(tmp_path):
    """Kinds of pixels that a JPEG does not have."""
    photos = {
        "grey16.png": Image.fromarray(np.full((20, 30), 40_000, np.uint16)),
        "alpha.png": Image.new("RGBA", (30, 20), (200, 100, 50, 0)),
        "cmyk.tif": Image.new("CMYK", (30, 20), (0, 0, 0, 0)),
    }
    with Gallery(str(tmp_path / "all.html"), "nothing", Limits()) as gallery:
        for name, image in photos.items():
            image.save(tmp_path / name)
            gallery.add(PhotoResult(tmp_path / name, tmp_path / name, "done"))
    grey, _, cmyk = page_of(tmp_path / "all.html").pictures()[::2]
    assert abs(np.asarray(grey, int).mean() - 40_000 / 257) < 2
    assert np.asarray(cmyk).min() > 250


def test_obeys_the_rules_of_outputs(run, make_photo, tmp_path):
    photo, page = make_photo(), tmp_path / "all.html"
    page.write_text("mine")
    words = ["restore", photo, "--gallery", page, *COPY]
    refused = run(*words)
    assert (refused.code, page.read_text()) == (2, "mine")
    assert "exists already; --overwrite replaces it" in refused.errors[0]
    assert run(*words, "--resume").code == 2
    assert run(*words, "--overwrite").code == 0
    assert run(*words, "--resume").code == 0  # its own earlier page, with the photo that was passed over
    assert len(page_of(page).pictures()) == 2
    for name in (photo, photo.with_name("photo.unblur.png")):
        assert run("restore", photo, "--gallery", name, "--overwrite", *COPY).code == 2
    assert run("restore", photo, "--gallery", tmp_path / "b.html", "--in-place", *COPY).code == 2


def test_is_not_there_before_the_end(tmp_path):
    with pytest.raises(FileNotFoundError), Gallery(str(tmp_path / "all.html"), "nothing", Limits()):
        (tmp_path / "all.html").stat()
    assert (tmp_path / "all.html").read_bytes().endswith(b"</html>\n")
    with pytest.raises(UsageError, match="exists already"):
        Gallery(str(tmp_path / "all.html"), "nothing", Limits())
