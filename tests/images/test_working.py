"""Stored pixels to working numbers and back: exact where nothing changed, blind to what is hidden."""

import io

import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFilter

import hostile
from unblur.errors import ImageError, ShapeError
from unblur.images.files import read_image
from unblur.images.picture import FileFacts, Picture
from unblur.images.working import from_working, to_working


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 20),
    st.integers(1, 20),
    st.sampled_from(["uint8", "uint16", "float32"]),
    st.sampled_from([1, 2, 3, 4]),
    st.integers(0, 99),
)
def test_unchanged_pixels_come_back_exactly(height: int, width: int, dtype: str, channels: int, seed: int) -> None:
    pixels = _random(height, width, channels, dtype, seed)
    if channels in (2, 4):
        pixels[..., -1] *= np.random.default_rng(seed).integers(0, 2, (height, width)).astype(dtype)
    picture = Picture(pixels, "grey" if channels < 3 else "rgb", channels in (2, 4))
    before = pixels.copy()
    working = to_working(picture)
    assert working.dtype == np.float32
    assert working.shape == (height, width, 1 if channels < 3 else 3)
    assert 0 <= working.min() <= working.max() <= 1
    back = from_working(working, picture)
    assert back.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(back.pixels, pixels)
    np.testing.assert_array_equal(pixels, before)


def _random(height: int, width: int, channels: int, dtype: str, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    if dtype == "float32":
        return (random.random((height, width, channels)) * 10 ** random.uniform(-2, 4)).astype(np.float32)
    return random.integers(0, np.iinfo(dtype).max + 1, (height, width, channels)).astype(dtype)


def test_every_level_of_sixteen_bits_survives() -> None:
    picture = Picture(np.arange(65536, dtype=np.uint16).reshape(256, 256, 1), "grey")
    np.testing.assert_array_equal(from_working(to_working(picture), picture).pixels, picture.pixels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_hidden_colours_have_no_influence(dtype: str) -> None:
    pixels = hostile.photo(40, 50, 4, dtype)
    pixels[10:30, 5:25, 3] = 0
    other = pixels.copy()
    other[10:30, 5:25, :3] = np.random.default_rng(1).integers(0, 200, (20, 20, 3))
    first, second = (to_working(Picture(each, "rgb", has_alpha=True)) for each in (pixels, other))
    np.testing.assert_array_equal(first, second)


def test_hidden_area_continues_its_surroundings() -> None:
    pixels = np.full((33, 47, 4), 255, np.uint8)
    pixels[..., :3] = (200, 100, 50)
    pixels[7:30, 3:40] = (0, 255, 0, 0)
    np.testing.assert_allclose(
        to_working(Picture(pixels, "rgb", has_alpha=True)) * 255, 0 * pixels[..., :3] + (200, 100, 50), atol=1e-3
    )


def test_alpha_and_hidden_colours_come_back_bit_for_bit() -> None:
    pixels = hostile.photo(30, 30, 4)
    pixels[:10, :, 3] = 0
    picture = Picture(pixels, "rgb", has_alpha=True)
    restored = from_working(1 - to_working(picture), picture)
    np.testing.assert_array_equal(restored.pixels[..., 3], pixels[..., 3])
    np.testing.assert_array_equal(restored.pixels[:10], pixels[:10])
    np.testing.assert_array_equal(restored.pixels[10:, :, :3], 255 - pixels[10:, :, :3])


def test_wholly_transparent_picture_is_finite() -> None:
    pixels = hostile.photo(9, 7, 4)
    pixels[..., 3] = 0
    picture = Picture(pixels, "rgb", has_alpha=True)
    working = to_working(picture)
    assert np.isfinite(working).all()
    np.testing.assert_array_equal(from_working(working, picture).pixels, pixels)


def test_restored_values_are_clamped_and_rounded_once() -> None:
    picture = Picture(np.zeros((1, 4, 1), np.uint8), "grey")
    restored = np.array([-0.5, 1.5, 100.4 / 255, 100.6 / 255]).reshape(1, 4, 1)
    assert from_working(restored, picture).pixels.ravel().tolist() == [0, 255, 100, 101]


def test_bright_float_is_scaled_and_back() -> None:
    picture = Picture(np.array([[[0.0], [3.0], [7.3]]], np.float32), "grey")
    working = to_working(picture)
    np.testing.assert_allclose(working.ravel(), [0, 3 / 8, 7.3 / 8], rtol=1e-6)
    np.testing.assert_array_equal(from_working(working, picture).pixels, picture.pixels)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_numbers_are_refused(bad: float) -> None:
    pixels = np.zeros((4, 4, 1), np.float32)
    picture = Picture(pixels.copy(), "grey")
    pixels[2, 1] = bad
    with pytest.raises(ImageError, match="not finite"):
        to_working(Picture(pixels, "grey"))
    with pytest.raises(ImageError, match="not finite"):
        from_working(pixels, picture)


def test_other_shape_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(4, 4, 3\)"):
        from_working(np.zeros((4, 4, 1)), Picture(np.zeros((4, 4, 3), np.uint8), "rgb"))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_inks_without_profile_come_back_exactly(dtype: str) -> None:
    pixels = hostile.photo(20, 20, 5, dtype)[..., :4]
    pixels[:2, :, 3] = np.iinfo(dtype).max
    picture = Picture(pixels, "cmyk")
    working = to_working(picture)
    assert working.shape == (20, 20, 3)
    difference = from_working(working, picture).pixels.astype(int) - pixels
    # Inks under nearly full black have next to no influence on colour, so colour hardly determines them.
    light = 1 - pixels[..., 3:].astype(float) / np.iinfo(dtype).max
    assert (np.abs(difference) * light).max() <= 2


def test_lightened_inks_become_the_lighter_colour() -> None:
    picture = Picture(np.full((3, 3, 4), (100, 50, 0, 200), np.uint8), "cmyk")
    target = np.full((3, 3, 3), (0.9, 0.5, 0.7), np.float32)
    np.testing.assert_allclose(to_working(from_working(target, picture)), target, atol=0.01)


@pytest.fixture
def cmyk_profile() -> bytes:
    """The profile that libvips carries."""
    profile = bytes(pyvips.Operation.call("profile_load", "cmyk"))
    assert profile[16:20] == b"CMYK"
    return profile


def test_inks_with_profile_keep_their_look(cmyk_profile: bytes) -> None:
    pixels = np.full((8, 8, 4), (40, 90, 120, 30), np.uint8)
    picture = Picture(pixels, "cmyk", facts=FileFacts(icc=cmyk_profile))
    working = to_working(picture)
    np.testing.assert_allclose(to_working(from_working(working, picture)), working, atol=0.03)
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(cmyk_profile)),
        ImageCms.createProfile("sRGB"),
        "CMYK",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    expected = np.asarray(ImageCms.applyTransform(Image.frombytes("CMYK", (8, 8), pixels.tobytes()), transform))
    assert np.abs(working * 255 - expected).max() <= 2


def test_profile_that_cannot_be_used_is_no_obstacle() -> None:
    pixels = hostile.photo(channels=4)
    working = to_working(Picture(pixels, "cmyk", facts=FileFacts(icc=hostile.icc_profile())))
    np.testing.assert_array_equal(working, to_working(Picture(pixels, "cmyk")))


def test_blur_and_alpha_do_not_fringe() -> None:
    """A white disc on hidden black, blurred as methods do it: no dark edge in visible pixels."""
    y, x = np.mgrid[:64, :64]
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[(y - 32) ** 2 + (x - 32) ** 2 < 400] = 255
    picture = Picture(pixels, "rgb", has_alpha=True)
    working = Image.fromarray((to_working(picture) * 255).astype(np.uint8))
    blurred = np.asarray(working.filter(ImageFilter.GaussianBlur(4)), np.float32) / 255
    restored = from_working(blurred, picture)
    assert restored.pixels[pixels[..., 3] > 0].min() == 255


def test_picture_from_a_file_round_trips() -> None:
    for data in hostile.good_files().values():
        picture = read_image(io.BytesIO(data).getvalue())
        if picture.space != "cmyk":
            np.testing.assert_array_equal(from_working(to_working(picture), picture).pixels, picture.pixels)
