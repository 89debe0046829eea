"""Kinds that are not read: what they are called, and what helps."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hostile
from unblur.errors import ReadError
from unblur.images.files import read_image
from unblur.images.tiff_structure import is_page, read_directories
from unblur.images.unsupported import kind_of_head, unsupported_kind

_REST = bytes(500)
HEADS = {
    "photo.heic": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIC", "unblur[heif]"),
    "photo.cr3": (b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom", "camera raw", "darktable"),
    "photo.raf": (b"FUJIFILMCCD-RAW 0201", "camera raw", "darktable"),
    "photo.orf": (b"IIRO\x08\x00\x00\x00", "camera raw", "darktable"),
    "photo.cr2": (b"II*\x00\x10\x00\x00\x00CR\x02\x00", "camera raw", "darktable"),
    "photo.nef": (b"MM\x00*\x00\x00\x00\x08", "camera raw", "darktable"),
    "photo.jxl": (b"\xff\x0a\xfa\x1f", "JPEG XL", "djxl"),
    "photo.jp2": (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000", "ImageMagick"),
    "photo.psd": (b"8BPS\x00\x01", "Photoshop", "TIFF"),
    "photo.ppm": (b"P6\n3 3\n255\n", "PNM", "ImageMagick"),
}


@pytest.fixture
def without_extras(tmp_path, monkeypatch) -> None:
    """As where the extras that read HEIC and camera raw are not installed."""
    monkeypatch.setattr("unblur.images.unsupported.can_read_heif", lambda: False)
    monkeypatch.setattr("unblur.images.signatures.can_read_heif", lambda: False)
    for module in ("unsupported", "signatures", "files"):
        monkeypatch.setattr(f"unblur.images.{module}.can_read_raw", lambda: False)


@pytest.mark.parametrize("name", HEADS)
def test_kind_of_a_file_and_what_helps(tmp_path: Path, without_extras: None, name: str) -> None:
    head, words, advice = HEADS[name]
    path = tmp_path / name
    path.write_bytes(head + _REST)
    kind = unsupported_kind(path)
    assert kind is not None
    assert words in kind.name
    assert advice in kind.advice


@pytest.mark.parametrize("name", sorted(HEADS.keys() - {"photo.nef"}))  # a TIFF by its content; libtiff judges it
def test_content_and_not_the_name_is_refused(tmp_path: Path, without_extras: None, name: str) -> None:
    head, words, advice = HEADS[name]
    path = tmp_path / "photo.JPG"
    path.write_bytes(head + _REST)
    with pytest.raises(ReadError, match="not supported") as caught:
        read_image(path)
    assert words in str(caught.value)
    assert advice in str(caught.value)


def test_other_files_are_no_unsupported_photos(tmp_path: Path) -> None:
    for name, data in (
        ("photo.png", HEADS["photo.raf"][0]),  # a name that is tried anyway
        ("notes.txt", HEADS["photo.raf"][0]),
        ("photo.dng", b"nothing known"),
    ):
        (tmp_path / name).write_bytes(data)
        assert unsupported_kind(tmp_path / name) is None
    assert unsupported_kind(tmp_path / "missing.heic") is None
    (tmp_path / "folder.heic").mkdir()
    assert unsupported_kind(tmp_path / "folder.heic") is None
    assert kind_of_head(b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x01isomavc1").name == "video"


def _old_style_jpeg() -> bytes:
    data = bytearray(hostile.encode_pillow(hostile.photo(), "TIFF", compression="jpeg"))
    at = data.index(struct.pack("<HHLH", 259, 3, 1, 7))
    data[at + 8] = 6
    return bytes(data)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_old_style_jpeg, "old-style JPEG compression"),
        (lambda: hostile.encode_tiff(hostile.photo(), photometric="cielab"), "CIELab"),
        (lambda: hostile.encode_tiff(hostile.photo(dtype="uint16"), photometric="cielab"), "CIELab"),
        (lambda: hostile.encode_tiff(hostile.photo(), photometric="rgb", compression="lzma"), "LZMA"),
        (lambda: hostile.encode_tiff(hostile.photo()[..., 0].astype(complex)), "complex"),
        (lambda: hostile.encode_tiff(hostile.photo()[..., 0].astype("int16"), photometric="minisblack"), "sign"),
        (lambda: hostile.encode_tiff(hostile.photo(dtype="float32").astype(float), photometric="rgb"), "64 bits"),
    ],
)
def test_tiff_that_is_not_supported_is_not_called_damaged(make, words: str) -> None:
    with pytest.raises(ReadError, match="not supported") as caught:
        read_image(make())
    assert words in str(caught.value)
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
def test_directories_of_a_tiff(tmp_path: Path, order: str, big: bool) -> None:
    path = tmp_path / "pages.tif"
    pixels = np.zeros((3, 8, 8, 3), np.uint16)
    path.write_bytes(hostile.encode_tiff(pixels, photometric="rgb", byteorder=order, bigtiff=big))
    with path.open("rb") as file:
        directories = list(read_directories(file.fileno()))
    assert len(directories) == 3
    assert all(is_page(directory) for directory in directories)
    assert {directory.numbers[258] for directory in directories} == {16}


def test_reduced_copies_are_no_pages_and_loops_end(tmp_path: Path) -> None:
    file = io.BytesIO()
    images = [Image.fromarray(hostile.photo(side, side)) for side in (32, 16)]
    images[0].save(file, "TIFF", save_all=True, append_images=images[1:], tiffinfo={254: 1})
    path = tmp_path / "reduced.tif"
    path.write_bytes(file.getvalue())
    with path.open("rb") as opened:
        assert not any(is_page(directory) for directory in read_directories(opened.fileno()))
    path.write_bytes(hostile.bad_files()["loop.tif"])
    with path.open("rb") as opened:
        assert len(list(read_directories(opened.fileno()))) == 1
