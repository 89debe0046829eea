"""Colour profiles that cannot be used are left out with a note, and none of them stops a photo from being written."""

import struct

import numpy as np
import pytest

import hostile
from unblur.images.encoding import to_pillow
from unblur.images.files import encode_image, read_image
from unblur.images.picture import FileFacts, Picture

GOOD, SWAPPED = hostile.icc_profile(), hostile.icc_profile("swapped")
DAMAGED = {
    "garbage": b"garbage" * 100,
    "short": b"abc",
    "no mark": GOOD[:36] + b"xxxx" + GOOD[40:],
    "tags": GOOD[:128] + b"\x00\x00\xff\xff" + GOOD[132:],
}
OTHERS = {"CMYK": GOOD[:16] + b"CMYK" + GOOD[20:], "GRAY": GOOD[:16] + b"GRAY" + GOOD[20:]}
FORMATS = ("jpeg", "png", "tiff", "webp", "avif", "gif", "bmp")


def read_with(profile: bytes, kind: str = "WEBP") -> Picture:
    photo = Picture(hostile.photo(), "rgb")
    return read_image(hostile.encode_pillow(np.asarray(to_pillow(photo)), kind, icc_profile=profile))


@pytest.mark.parametrize("kind", ["WEBP", "JPEG", "TIFF"])
@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_profile_is_left_out_with_a_note(name: str, kind: str) -> None:
    picture = read_with(DAMAGED[name], kind)
    assert picture.facts.icc is None
    assert picture.facts.notes == ("the colour profile is damaged and is not kept",)


@pytest.mark.parametrize("space", OTHERS)
def test_profile_for_other_pixels_is_left_out_with_a_note(space: str) -> None:
    picture = read_with(OTHERS[space])
    assert picture.facts.icc is None
    assert f"for {space} pixels" in picture.facts.notes[0]


@pytest.mark.parametrize("kind", FORMATS)
def test_padded_profile_is_kept_up_to_its_end(kind: str) -> None:
    """A PNG once failed on it, after all the work."""
    picture = read_with(GOOD + bytes(100))
    assert (picture.facts.icc, picture.facts.notes) == (GOOD, ())
    written, notes = encode_image(picture, kind)
    assert read_image(written).facts.icc == (GOOD if kind not in {"gif", "bmp"} else None)
    assert any("profile" in note for note in notes) == (kind in {"gif", "bmp"})


@pytest.mark.parametrize(
    "profile",
    [
        struct.pack(">L", len(SWAPPED) + 1) + SWAPPED[4:8] + b"\x04" + SWAPPED[9:] + b"\x00",
        struct.pack(">L", len(SWAPPED) + 100) + SWAPPED[4:],
    ],
    ids=["length is no multiple of four", "states more than there is"],
)
def test_profile_that_png_refuses_is_applied(profile: bytes) -> None:
    """littleCMS takes it, so it is usable."""
    picture = read_with(profile)
    assert picture.facts.icc == profile
    written, notes = encode_image(picture, "png")
    assert notes == ("PNG holds no such colour profile; colours were converted to sRGB",)
    back = read_image(written)
    assert back.facts.icc is None
    np.testing.assert_allclose(back.pixels, picture.pixels[..., [1, 0, 2]], atol=2)


def test_grey_photo_keeps_no_profile_that_png_refuses() -> None:
    picture = Picture(hostile.photo(channels=1), "grey", facts=FileFacts(icc=b"garbage" * 100))
    written, notes = encode_image(picture, "png")
    assert "colour profile" in notes[0]
    assert np.array_equal(read_image(written).pixels, picture.pixels)
