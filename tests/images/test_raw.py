"""Camera raw files, with the extra that reads them and without."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from made_raw import dng, scene
from unblur.errors import ReadError, TooLargeError
from unblur.images.files import read_image
from unblur.images.limits import Limits
from unblur.methods.apply import restore_picture
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions

pytest.importorskip("rawpy")
COPY = ("--method", "input")


def light_of(pixels: np.ndarray) -> np.ndarray:
    """Values of 16 bits on sRGB's curve as linear light."""
    value = pixels / 0xFFFF
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


@pytest.fixture
def without_rawpy(monkeypatch) -> None:
    for place in ("images.unsupported", "images.signatures", "images.files", "batch.inputs"):
        monkeypatch.setattr(f"unblur.{place}.can_read_raw", lambda: False)


def test_light_of_the_sensor_is_known() -> None:
    """Neither brightened nor bent: what the sensor counted comes back, but for demosaicking at the borders."""
    photo = read_image(dng(scene()))
    assert (photo.facts.format, photo.pixels.dtype, photo.pixels.shape) == ("raw", np.uint16, (64, 96, 3))
    inner = np.s_[4:-4, 4:-4]
    assert np.abs(light_of(photo.pixels)[inner] - scene()[inner]).max() < 0.01


def test_comes_upright_with_its_camera() -> None:
    photo = read_image(dng(scene(), orientation=6))
    upright = np.rot90(scene(), -1)
    assert photo.pixels.shape == (96, 64, 3)
    inner = np.s_[4:-4, 4:-4]
    assert np.abs(light_of(photo.pixels)[inner] - upright[inner]).max() < 0.01
    exif = Image.Exif()
    exif.load(photo.facts.exif)
    assert (exif[271], exif[272], exif.get(274, 1)) == ("Nonesuch", "One", 1)


def test_becomes_a_tiff_of_16_bits(run, tmp_path) -> None:
    dng(scene(), tmp_path / "in/a.DNG")
    assert run("restore", tmp_path / "in/a.DNG", *COPY).code == 0
    with tifffile.TiffFile(tmp_path / "in/a.unblur.tif") as file:
        assert (file.pages[0].dtype, file.pages[0].tags[271].value) == (np.uint16, "Nonesuch")
    assert run("restore", tmp_path / "in", "-o", tmp_path / "out", "--format", "png", *COPY).code == 0
    assert read_image(tmp_path / "out/a.png").pixels.shape == (64, 96, 3)
    assert run("-", *COPY, stdin=(tmp_path / "in/a.DNG").read_bytes()).out[:4] == b"II*\x00"


def test_name_does_not_matter_and_plain_tiffs_stay_tiffs(tmp_path) -> None:
    assert read_image(dng(scene(), tmp_path / "photo.tif")).facts.format == "raw"
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((8, 8, 3), np.uint8), photometric="rgb")
    assert read_image(file.getvalue()).facts.format == "tiff"


def test_blur_is_taken_as_that_of_light() -> None:
    """The encoding is known, so it is not estimated."""
    seen = []

    class Spy:
        traits = load_method("map").traits
        settings = load_method("map").settings

        def restore(self, blurry, options, on_step):
            seen.append(options.encoding)
            return load_method("input").restore(blurry, options, on_step)

    restore_picture(read_image(dng(scene())), Spy(), RestoreOptions(), lambda step: None)
    assert seen == ["linear"]


def test_damaged_and_huge_files_are_refused_in_one_sentence() -> None:
    data = dng(scene())
    with pytest.raises(ReadError, match="camera raw file that cannot be decoded"):
        read_image(data[: len(data) // 2])
    with pytest.raises(TooLargeError, match="million"):
        read_image(data, limits=Limits(max_pixels=100))


@pytest.mark.usefixtures("without_rawpy")
def test_without_the_extra_it_is_named(run, make_photo, tmp_path) -> None:
    data = dng(scene(), tmp_path / "in/a.dng")
    for source in (data, b"FUJIFILMCCD-RAW 0201" + bytes(500)):
        with pytest.raises(ReadError, match=r'camera raw\); install what reads it with pip install "unblur\[raw\]"'):
            read_image(source)
    make_photo("in/b.png")
    ran = run("restore", tmp_path / "in", "-o", tmp_path / "out", *COPY)
    assert "passed over: 1 camera raw file (install what reads it" in ran.err
