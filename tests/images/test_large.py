"""Whatever is read of a large photo in parts is what the whole photo has there."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from unblur.images import large
from unblur.images.large import LargePhoto, StripImage, apply, brightness_of, enlarged, room_like, strips_of, thin
from unblur.images.picture import Picture
from unblur.images.tensors import array_to_tensor, brightness, srgb_to_linear
from unblur.images.tiling import run_tiled, strips_tiled
from unblur.images.working import to_working
from unblur.system.scratch import reserve

SIZE = (61, 47)
SPACES = {"grey": 1, "rgb": 3, "cmyk": 4}


@pytest.fixture(autouse=True)
def thin_strips(monkeypatch):
    """Seven strips."""
    monkeypatch.setattr(large, "_STRIP", 9 * SIZE[1])


def picture(space="rgb", dtype=np.uint8, *, alpha=False) -> Picture:
    generator = np.random.default_rng(4)
    pixels = generator.integers(1, np.iinfo(dtype).max, (*SIZE, SPACES[space] + alpha), dtype, endpoint=True)
    return Picture(pixels, space, has_alpha=alpha)


def whole(one: Picture) -> Tensor:
    return array_to_tensor(to_working(one))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("alpha", [False, True])
def test_parts_are_those_of_the_whole(space, dtype, alpha):
    one = picture(space, dtype, alpha=alpha)
    photo, tensor = LargePhoto.of(one), whole(one)
    assert LargePhoto.can_be_parted(one)
    assert photo.shape == tensor.shape
    assert photo.numel() == tensor.numel()
    for rows, columns in [(slice(3, 20), slice(5, 6)), (slice(None), slice(40, 99)), (slice(1, 60, 7), slice(None))]:
        assert torch.equal(photo[..., rows, columns], tensor[..., rows, columns])
    strips = list(photo.strips())
    assert len(strips) == 7
    assert torch.equal(torch.cat(strips, 2), tensor)
    assert {strip.shape[2] for strip in list(photo.strips(multiple=8))[:-1]} == {8}


def test_what_depends_on_the_whole_cannot_be_parted():
    hidden = picture(alpha=True)
    hidden.pixels[3, 3, -1] = 0
    assert not LargePhoto.can_be_parted(hidden)
    assert not LargePhoto.can_be_parted(replace(picture(), pixels=picture().pixels.astype(np.float32)))


def test_only_parts_are_read():
    with pytest.raises(TypeError, match="slices"):
        LargePhoto.of(picture())[0, 0, 0, 0]


@pytest.mark.parametrize("mode", ["bicubic", "bilinear"])
@pytest.mark.parametrize("size", [(30, 23), (61, 12), (7, 5)])
def test_at_a_smaller_size_to_the_last_bit(mode, size):
    one = picture()
    assert torch.equal(
        LargePhoto.of(one).at_size(size, mode), F.interpolate(whole(one), size, mode=mode, antialias=True)
    )


def test_enlarged_in_parts():
    small = torch.rand(1, 2, 13, 11)
    answer, expected = enlarged(small, SIZE), F.interpolate(small, SIZE, mode="bicubic", antialias=True)
    torch.testing.assert_close(torch.cat(list(answer.strips()), 2), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(answer[..., 17:30, 9:44], expected[..., 17:30, 9:44], atol=1e-5, rtol=0)


def test_pixels_are_changed_when_they_are_read():
    one = picture()
    photo, tensor = LargePhoto.of(one), whole(one)
    linear = apply(photo, srgb_to_linear)
    assert isinstance(linear, LargePhoto)
    # Vectors and what is left over beside them are raised to a power by two algorithms.
    torch.testing.assert_close(linear[..., 4:9, 2:30], srgb_to_linear(tensor)[..., 4:9, 2:30], atol=1e-6, rtol=0)
    assert torch.equal(apply(tensor, srgb_to_linear), srgb_to_linear(tensor))
    grey = brightness_of(photo)
    assert grey.shape == (1, 1, *SIZE)
    assert torch.equal(grey[..., :, :], brightness(tensor))
    assert torch.equal(photo.plus(photo)[..., 7:, :8], 2 * tensor[..., 7:, :8])


def test_a_rectangle_and_the_photo_around_another_one():
    one = picture()
    photo, tensor = LargePhoto.of(one), whole(one)
    box = (5, 11, 30, 29)
    part = photo.part(box)
    assert part.shape == (1, 3, 29, 30)
    assert torch.equal(part[..., :, :], tensor[..., 11:40, 5:35])
    assert torch.equal(part[..., 3:99, 28:], tensor[..., 14:40, 33:35])
    for image in (part.mapped(torch.zeros_like), torch.zeros(part.shape)):
        framed = torch.cat(list(photo.with_part(box, image).strips()), 2)
        expected = tensor.clone()
        expected[..., 11:40, 5:35] = 0
        assert torch.equal(framed, expected)


def test_strips_of_anything():
    tensor = torch.rand(1, 3, *SIZE)
    image = StripImage((1, 3, *SIZE), lambda: iter(tensor.split(20, 2)))
    assert torch.equal(torch.cat(list(image.mapped(lambda strip: strip + 1).strips()), 2), tensor + 1)
    assert image.mapped(lambda strip: strip[:, :1], 1).shape == (1, 1, *SIZE)
    assert [strip.shape[2] for strip in strips_of(tensor)] == [9] * 6 + [7]
    assert torch.equal(torch.cat(list(thin(image.strips())), 2), tensor)


def test_tiles_of_a_large_photo_come_as_strips():
    one = picture()
    blur = torch.nn.AvgPool2d(5, stride=1, padding=2)
    strips = list(strips_tiled(LargePhoto.of(one), blur, 16, 6))
    assert len(strips) == 4
    assert torch.equal(torch.cat(strips, 2), run_tiled(whole(one), blur, 16, 6))


@pytest.mark.parametrize("has_room", [True, False])
def test_room_for_an_answer(monkeypatch, has_room):
    """On the disk, or in memory where that is full."""
    monkeypatch.setattr(large, "LARGE_BYTES", 1)
    monkeypatch.setattr(large, "reserve", lambda file, size: has_room and reserve(file, size))
    pixels = picture(dtype=np.uint16).pixels
    room = room_like(pixels)
    assert (room.base is not None) == has_room
    assert room.shape == pixels.shape
    assert room.dtype == pixels.dtype
    room[:] = pixels
    assert np.array_equal(room, pixels)
