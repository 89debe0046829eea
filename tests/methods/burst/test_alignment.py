"""Exposure and place of one photo relative to another one."""

import pytest
import torch

from planted import draw_picture
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.methods.burst.alignment import (
    STILL,
    Shift,
    common_area,
    estimate_exposure,
    estimate_shift,
    match_exposure,
    move,
)

PICTURE = draw_picture(140, 150, seed=2)
SHIFT = Shift(5, -8)


def window(shift: Shift) -> torch.Tensor:
    """Content that lies farther right and down by the shift."""
    return PICTURE[..., 20 - shift.down : 120 - shift.down, 20 - shift.right : 130 - shift.right]


def test_shift_of_a_photo():
    assert estimate_shift(window(SHIFT), window(STILL)) == SHIFT
    assert SHIFT.plus(SHIFT).against(SHIFT) == SHIFT


@pytest.mark.parametrize("light", [0.5, 1.3])
def test_exposure_of_a_photo_and_back(light):
    photo = linear_to_srgb((light * srgb_to_linear(window(SHIFT))).clamp(0, 1))
    exposure = estimate_exposure(photo, window(STILL), SHIFT)
    assert exposure == pytest.approx(light, rel=0.03)
    unclipped = photo < 0.98
    matched = match_exposure(photo, exposure)
    assert torch.allclose(matched[unclipped], window(SHIFT)[unclipped], atol=0.02)


def test_equal_exposures_are_exactly_equal():
    assert estimate_exposure(window(SHIFT), window(STILL), SHIFT) == 1
    assert match_exposure(PICTURE, 1.0) is PICTURE
    black = torch.zeros(1, 3, 8, 8)
    assert estimate_exposure(black, black, STILL) == 1


def test_a_moved_photo_lies_on_the_reference_and_says_where():
    moved, known = move(window(SHIFT), SHIFT, torch.zeros(1, 1, 100, 110))
    rows, columns = common_area([SHIFT, STILL], (100, 110))
    assert torch.equal(moved * known, window(STILL) * known)
    assert known.sum() == (100 - 8) * (110 - 5) == known[..., rows, columns].sum()
    assert not (moved * (1 - known)).any()
