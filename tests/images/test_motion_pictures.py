import numpy as np
import pytest

from unblur.errors import ShapeError
from unblur.images.motion_pictures import draw_arrows, draw_wheel


def field_of(*motions: tuple[float, float]) -> np.ndarray:
    return np.array(motions, np.float32)[None]


def test_no_motion_is_white():
    assert (draw_wheel(np.zeros((4, 5, 2), np.float32)) == 255).all()


def test_hues_of_directions():
    """To the right red; up by 60 degrees green, by 120 degrees blue: the hue turns twice as fast."""
    turns = [(np.cos(angle), -np.sin(angle)) for angle in np.radians((0, 60, 120))]
    assert draw_wheel(field_of(*turns)).tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]


def test_a_motion_and_its_reverse_share_a_colour():
    motion = np.random.default_rng(0).normal(size=(6, 7, 2)).astype(np.float32)
    assert np.abs(draw_wheel(motion).astype(int) - draw_wheel(-motion)).max() <= 1


def test_length_is_saturation():
    half, whole = draw_wheel(field_of((5, 0), (10, 0)))[0]
    assert half.tolist() == [255, 128, 128]
    assert whole.tolist() == [255, 0, 0]
    assert draw_wheel(field_of((5, 0)), longest=10)[0, 0].tolist() == half.tolist()


def test_arrows_are_as_long_as_the_motion():
    photo = np.full((32, 64, 3), 90, np.uint8)
    field = np.zeros((32, 64, 2), np.float32)
    field[..., 0] = 20
    drawn = draw_arrows(photo, field)
    changed = (drawn != photo).any(2)
    row = np.flatnonzero(changed[16, :32])
    assert abs(row.min() - (16 - 10)) <= 1
    assert abs(row.max() - (16 + 10)) <= 1
    assert (photo == 90).all()
    still = (draw_arrows(photo, np.zeros_like(field)) != photo).any(2)
    assert 0 < still.sum() < 40


def test_shapes_are_checked():
    with pytest.raises(ShapeError, match="expected a motion field"):
        draw_wheel(np.zeros((2, 4, 5), np.float32))
    with pytest.raises(ShapeError, match="expected a photo"):
        draw_arrows(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 2), np.float32))
