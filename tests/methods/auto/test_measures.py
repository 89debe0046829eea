import math

import pytest
import torch

from planted import plant, shake
from unblur.blur.convolve import convolve
from unblur.blur.kernels import disk_kernel, linear_kernel
from unblur.methods.auto.measures import MEASURES, AnswerMeasures, measure_blur_effect, measure_photo
from unblur.methods.kernel_search.search import Candidate


@pytest.fixture(scope="module")
def measured():
    true, wrong = shake(11, 3, (12, 15)), disk_kernel(4.0)
    planted = plant(true, (120, 130))
    measures = AnswerMeasures(measure_photo(planted.blurry, 0.0))
    return measures.measure([Candidate(kernel, "encoded") for kernel in (true, true, wrong)])


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


def test_proposals_are_no_witnesses_for_each_other():
    planted = plant(linear_kernel(9.0, 30.0), (120, 130))
    line = linear_kernel(9.0, 30.0)
    measures = AnswerMeasures(measure_photo(planted.blurry, 0.0))
    kernels = [Candidate(disk_kernel(3.0), "encoded"), *(Candidate(line, "encoded", "line") for _ in range(2))]
    searched, proposed, _ = measures.measure(kernels)
    assert searched["agreement"] == 0
    assert proposed["agreement"] < 0.9
    assert (searched["line"], proposed["line"]) == (0, 1)
    assert proposed["spectral_match"] > searched["spectral_match"]


def test_blur_effect_rises_with_blur():
    sharp = plant(shake(3), (120, 130)).sharp
    effects = [measure_blur_effect(convolve(sharp, disk_kernel(radius), "replicate")) for radius in (0, 1.5, 4.0)]
    assert effects == sorted(effects)
    assert measure_blur_effect(torch.full((1, 1, 20, 20), 0.5)) == pytest.approx(1)
    assert measure_blur_effect(torch.rand(1, 1, 2, 2)) == 1
