from dataclasses import replace

import pytest
import torch

from planted import plant, shake
from unblur.blur.kernels import disk_kernel
from unblur.methods.auto.judge import GainPrediction
from unblur.methods.auto.second_look import MOST_ANSWERS, look_again
from unblur.methods.auto.verdicts import Verdict
from unblur.methods.kernel_search.search import Candidate
from unblur.methods.loading import load_method

TRUE, WRONG = shake(11, 3, (12, 15)), disk_kernel(4.0)


@pytest.fixture(scope="module")
def auto():
    return load_method("auto")


@pytest.fixture(scope="module")
def planted():
    grey = plant(TRUE, (120, 130), light="linear")
    return replace(grey, blurry=grey.blurry.expand(-1, 3, -1, -1), sharp=grey.sharp.expand(-1, 3, -1, -1))


def verdict(*predictions: float, kernels=(WRONG, TRUE)) -> Verdict:
    best = tuple(Candidate(kernel, "linear") for kernel in kernels)
    return Verdict(best, tuple(GainPrediction(gain, 1.0) for gain in predictions))


def test_the_right_kernel_is_meant_though_another_promised_as_much(auto, planted):
    found = look_again(verdict(1.1, 1.0), planted.blurry, auto.second_judge, auto.refiner)
    assert torch.equal(found.best[0].kernel, TRUE)
    assert found.is_refined
    assert found.predictions[0].gain > found.predictions[1].gain


def test_a_hopeless_photo_is_left_to_the_first_judge(auto, planted):
    before = verdict(-5.0, -6.0)
    assert look_again(before, planted.blurry, auto.second_judge, auto.refiner) is before


def test_no_more_answers_are_refined_than_pays(auto, planted):
    kernels = [disk_kernel(1.0 + number / 4) for number in range(MOST_ANSWERS + 3)]
    before = verdict(*(1.0 for _ in kernels), kernels=kernels)
    found = look_again(before, planted.blurry, auto.second_judge, auto.refiner)
    assert len(found.best) == len(found.predictions) == MOST_ANSWERS


def test_doubt_counts_more_after_the_second_look(auto, planted):
    found = look_again(verdict(1.0, 1.0), planted.blurry, auto.second_judge, auto.refiner)
    gain, spread = found.prediction
    settings = auto.verdicts.settings
    assert auto.verdicts.bound_of(found) == pytest.approx(gain - settings.second_caution * spread)
    assert auto.verdicts.bound_of(verdict(1.0, 1.0)) == pytest.approx(1 - settings.caution)
