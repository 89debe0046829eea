"""Metadata in detail: EXIF in place, EXIF in TIFF, real camera files; and what importing the package costs."""

import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hostile
from unblur.images.exif import upright_exif, upright_xmp
from unblur.images.files import encode_image, encode_pages, read_image, read_pages
from unblur.images.picture import FileFacts, Picture

REPOSITORY = Path(__file__).parents[2]


def _tags(data: bytes) -> dict[int, object]:
    """All tags of a file's EXIF by Pillow, those of the sub-directories too."""
    exif = Image.open(io.BytesIO(data)).getexif()
    return (
        dict(exif) | dict(exif.get_ifd(0x8769)) | {("gps", tag): value for tag, value in exif.get_ifd(0x8825).items()}
    )


@pytest.mark.parametrize("order", "<>")
def test_only_what_turning_changes_is_changed(order: str) -> None:
    block = hostile.exif_block(8, thumbnail=True, order=order)
    patched = upright_exif(block, 70_000, 600)
    assert len(patched) == 400  # the thumbnail at the end is gone
    different = [at for at in range(400) if block[at] != patched[at]]
    # two whole entries and the link to the thumbnail in the first directory, the two sizes in the EXIF directory
    assert all(at in {*range(20, 62), *range(122, 172)} for at in different)
    exif = Image.Exif()
    exif.load(patched)
    assert exif[274] == 1
    assert (exif.get_ifd(0x8769)[0xA002], exif.get_ifd(0x8769)[0xA003]) == (70_000, 600)
    assert upright_exif(patched, 70_000, 600) == patched


def test_damaged_exif_is_dropped_with_a_note() -> None:
    for block in (b"", b"junk", hostile.exif_block(6)[:50], b"II*\x00\xff\xff\xff\xff"):
        with pytest.raises(ValueError, match="EXIF"):
            upright_exif(block, 1, 1)
    picture = Picture(hostile.photo(), "rgb", facts=FileFacts(exif=b"junk"))
    data, notes = encode_image(picture, "jpeg")
    assert any("EXIF" in note for note in notes)
    assert read_image(data).facts.exif is None


@pytest.mark.parametrize("size", [100, 60_001, 65_504, 65_505])
def test_xmp_of_a_jpeg_is_kept_or_said_to_be_lost(size: int) -> None:
    """libvips leaves out packets of more than 60,000 bytes in silence."""
    packet = b"<x/>".ljust(size)
    data, notes = encode_image(Picture(hostile.photo(), "rgb", facts=FileFacts(xmp=packet)), "jpeg")
    fits = size <= 65_504
    assert read_image(data).facts.xmp == (packet if fits else None)
    assert notes == (() if fits else ("JPEG holds no so large XMP; it is not kept",))


_KEYWORDS = b"".join(b"\x1c\x02\x19\x00\x08keyword%d" % number for number in range(10))


def _with_iptc(kind: str, *, palette: bool = False) -> Picture:
    """As read from a file, whose form of the block it has."""
    block = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + len(_KEYWORDS).to_bytes(4, "big") + _KEYWORDS
    facts = FileFacts(format=kind, iptc=block if kind == "jpeg" else _KEYWORDS[:-1], palette=palette)
    return Picture(hostile.photo() // 64 * 64, "rgb", facts=facts)


@pytest.mark.parametrize("palette", [False, True])
@pytest.mark.parametrize("kind", ["jpeg", "tiff"])
def test_iptc_is_kept_whole(kind: str, palette: bool) -> None:
    picture = _with_iptc(kind, palette=palette)
    data, notes = encode_image(picture, kind)
    assert (read_image(data).facts.iptc, notes) == (picture.facts.iptc, ())
    again, _ = encode_image(read_image(data), kind)
    assert read_image(again).facts.iptc == picture.facts.iptc
    with_exif = replace(picture, facts=replace(picture.facts, exif=hostile.exif_block()))
    back = read_image(encode_image(with_exif, kind)[0]).facts
    assert back.iptc == picture.facts.iptc
    assert back.exif is not None
    assert read_image(encode_image(picture, kind, strip_metadata=True)[0]).facts.iptc is None


def test_iptc_of_pages_is_kept() -> None:
    picture = _with_iptc("tiff")
    data, _ = encode_pages([picture] * 3, "tiff")
    assert [page.facts.iptc for page in read_pages(bytes(data))] == [picture.facts.iptc] * 3


@pytest.mark.parametrize(
    ("kind", "to"),
    [("jpeg", "tiff"), ("tiff", "jpeg"), *(("jpeg", to) for to in ("png", "webp", "avif", "gif", "bmp"))],
)
def test_iptc_that_is_lost_is_said_to_be(kind: str, to: str) -> None:
    data, notes = encode_image(_with_iptc(kind), to)
    assert f"holds no IPTC block of {kind.upper()} files; it is not kept" in "".join(notes)
    assert read_image(data).facts.iptc is None


def test_mutated_exif_never_escapes() -> None:
    random = np.random.default_rng(0)
    block = hostile.exif_block(6, thumbnail=True)
    for _ in range(200):
        mutated = bytearray(block)
        for at in random.integers(0, 250, 4):
            mutated[at] = random.integers(256)
        picture = Picture(hostile.photo(4, 4), "rgb", facts=FileFacts(exif=bytes(mutated)))
        for kind in ("jpeg", "tiff", "webp", "avif"):
            encode_image(picture, kind)


def test_orientation_in_xmp() -> None:
    for before, after in (
        (b'<d tiff:Orientation="6"/>', b'<d tiff:Orientation="1"/>'),
        (b"<tiff:Orientation>8</tiff:Orientation>", b"<tiff:Orientation>1</tiff:Orientation>"),
        (b'<d tiff:Orientation="1" a="6"/>', b'<d tiff:Orientation="1" a="6"/>'),
    ):
        assert upright_xmp(before) == after


def test_exif_travels_through_tiff() -> None:
    first = encode_image(Picture(hostile.photo(), "rgb", facts=FileFacts(exif=hostile.exif_block(1))), "tiff")[0]
    second = encode_image(read_image(first), "tiff")[0]
    third = encode_image(read_image(second), "jpeg")[0]
    for data in (first, second, third):
        tags = _tags(data)
        assert tags[271] == "Nonesuch"
        assert tags[0x9003] == "2020:02:02 02:02:02"
        assert tags["gps", 1] == "N"
    np.testing.assert_array_equal(read_image(second).pixels, hostile.photo())


def test_gamma_of_png_is_mentioned() -> None:
    data = hostile.encode_pillow(hostile.photo(), "PNG")
    assert not read_image(data).facts.notes
    gamma = b"\x00\x00\x00\x04gAMA\x00\x01\x86\xa0"
    checksum = b"\x31\xe8\x96\x5f"
    assert any("gamma of 1.000" in note for note in read_image(data[:33] + gamma + checksum + data[33:]).facts.notes)


def _shared_photos() -> Path:
    """The folder of real photos, where the shared data is at hand."""
    data = Path(os.environ.get("UNBLUR_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (data / "real").is_dir():
        pytest.skip("UNBLUR_DATA names no folder with real/ in it")
    return data / "real"


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff"])
def test_real_camera_files_keep_their_tags(kind: str) -> None:
    seen = 0
    for path in sorted(_shared_photos().rglob("*.[jJ][pP]*[gG]")):
        before = _tags(path.read_bytes())
        if not before:
            continue
        seen += 1
        after = _tags(encode_image(read_image(path), kind)[0])
        changed = {tag for tag in before if before[tag] != after.get(tag)}
        # orientation, sizes, thumbnail, offsets of sub-directories, and what is said of chroma that is stored no more
        assert changed <= {274, 256, 257, 513, 514, 531, 0xA002, 0xA003, 0x8769, 0x8825, 0xA005}, path.name
    assert seen


def test_importing_takes_neither_torch_nor_libvips() -> None:
    code = "import sys, unblur.images; print(sorted({'torch', 'pyvips', 'PIL', 'scipy'} & sys.modules.keys()))"
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "src")}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert ended.stdout.strip() == "[]"
