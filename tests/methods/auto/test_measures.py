import math

import pytest
import torch

from planted import plant, shake
from unblur.blur.convolve import convolve
from unblur.blur.kernels import disk_kernel
from unblur.methods.auto.measures import MEASURES, measure_answers, measure_blur_effect, measure_photo


@pytest.fixture(scope="module")
def measured():
    true, wrong = shake(11, 3, (12, 15)), disk_kernel(4.0)
    planted = plant(true, (120, 130))
    return measure_answers(measure_photo(planted.blurry, 0.0), [true, true, wrong], ["encoded", "encoded", "encoded"])


def test_every_measure_is_there_and_finite(measured):
    for answer in measured:
        assert set(answer) == set(MEASURES)
        assert all(math.isfinite(value) for value in answer.values())


def test_the_right_kernel_explains_more_and_rings_less(measured):
    right, _, wrong = measured
    assert right["gain_over_impulse"] > wrong["gain_over_impulse"]
    assert right["log_local_overshoot"] < wrong["log_local_overshoot"]


def test_answers_agree_with_their_like_alone(measured):
    right, again, wrong = measured
    assert right["agreement"] == again["agreement"] == pytest.approx(1)
    assert right["agreeing"] == 0.5
    assert wrong["agreement"] < 0.9


def test_blur_effect_rises_with_blur():
    sharp = plant(shake(3), (120, 130)).sharp
    effects = [measure_blur_effect(convolve(sharp, disk_kernel(radius), "replicate")) for radius in (0, 1.5, 4.0)]
    assert effects == sorted(effects)
    assert measure_blur_effect(torch.full((1, 1, 20, 20), 0.5)) == pytest.approx(1)
    assert measure_blur_effect(torch.rand(1, 1, 2, 2)) == 1
