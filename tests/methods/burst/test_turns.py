"""Photos that lie turned against each other."""

import pytest
import torch

from planted import draw_picture, psnr, shake
from unblur.blur.convolve import convolve
from unblur.methods.burst.turns import estimate_turn, turn, turned_area

SCENE = draw_picture(240, 300, seed=4)


@pytest.mark.parametrize("degrees", [-3.1, 0.9])
def test_the_turn_of_a_photo_under_another_blur_is_found(degrees):
    photo, reference = (convolve(SCENE, shake(11, seed), "replicate") for seed in (1, 2))
    assert estimate_turn(turn(photo, degrees), reference) == pytest.approx(-degrees, abs=0.3)


def test_photos_that_are_not_turned_are_left_as_they_are():
    photo, reference = (convolve(SCENE, shake(11, seed), "replicate") for seed in (1, 2))
    assert estimate_turn(photo, reference) == 0
    assert turn(photo, 0.0) is photo
    assert turned_area(photo, 0.0).all()


def test_a_photo_turned_there_and_back_is_the_same_where_it_is_known():
    smooth = convolve(SCENE, torch.full((1, 1, 5, 5), 1 / 25), "replicate")
    back = turn(turn(smooth, 4.0), -4.0)
    known = turned_area(smooth, 4.0) * turned_area(smooth, -4.0)
    assert 0.8 < float(known.mean()) < 0.99
    assert psnr(back * known, smooth * known) > 45
