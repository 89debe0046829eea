"""A photo in which there is nothing to restore comes back byte for byte, whatever its format."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def plain(tmp_path):
    """A photo of one tone with a comment, in which no blur can be found."""

    def make(name: str):
        place = tmp_path / name
        image = Image.fromarray(np.full((48, 64, 3), (90, 120, 60), np.uint8))
        image.save(place, quality=71, exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00")
        return place

    return make


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_the_bytes_are_those_of_the_photo(run, plain, tmp_path, name):
    photo = plain(name)
    out = tmp_path / "out" / name
    out.parent.mkdir()
    assert run("restore", photo, "-o", out).code == 0
    assert out.read_bytes() == photo.read_bytes()


def test_another_format_or_less_metadata_is_written_anew(run, plain, tmp_path):
    photo = plain("a.jpg")
    assert run("restore", photo, "-o", tmp_path / "b.png").code == 0
    with Image.open(tmp_path / "b.png") as written:
        assert written.format == "PNG"
    assert run("restore", photo, "-o", tmp_path / "c.jpg", "--strip-metadata").code == 0
    with Image.open(tmp_path / "c.jpg") as written:
        assert not written.getexif()
