"""A shift that was planted is found, also where the two images are blurred differently."""

import pytest
import torch

from planted import draw_picture, shake
from unblur.blur.convolve import convolve
from unblur.blur.phase_correlation import find_shift

PICTURE = draw_picture(160, 180, seed=5)


def window(right: int, down: int) -> torch.Tensor:
    return PICTURE[..., 30 + down : 130 + down, 30 + right : 150 + right]


@pytest.mark.parametrize(("right", "down"), [(0, 0), (7, -3), (-12, 11)])
def test_a_planted_shift_is_found(right, down):
    assert find_shift(window(0, 0), window(right, down), (20, 20)) == (right, down)


def test_it_is_found_nearly_where_both_are_blurred():
    moved, fixed = (
        convolve(one, shake(9, seed), "replicate") for seed, one in enumerate((window(0, 0), window(9, -6)))
    )
    right, down = find_shift(moved, fixed, (25, 25), spread=5)
    assert abs(right - 9) <= 4
    assert abs(down + 6) <= 4


def test_nothing_is_found_beyond_the_reach():
    right, down = find_shift(window(0, 0), window(15, 15), (4, 8))
    assert abs(right) <= 8
    assert abs(down) <= 4
