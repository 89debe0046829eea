import math
from dataclasses import replace

import pytest
import torch

from planted import plant, shake
from unblur.blur.kernels import disk_kernel
from unblur.methods.auto.judge import GainPrediction
from unblur.methods.auto.refined_measures import REFINED_MEASURES, refine_answers
from unblur.methods.kernel_search.search import Candidate
from unblur.methods.loading import load_method

TRUE, MOVED, WRONG = shake(11, 3, (12, 15)), torch.roll(shake(11, 3, (12, 15)), (1, 0), (-2, -1)), disk_kernel(4.0)
PREDICTIONS = [GainPrediction(3.0, 1.0), GainPrediction(2.0, 1.0), GainPrediction(1.0, 2.0)]


@pytest.fixture(scope="module")
def planted():
    grey = plant(TRUE, (121, 130), light="linear")
    return replace(grey, blurry=grey.blurry.expand(-1, 3, -1, -1), sharp=grey.sharp.expand(-1, 3, -1, -1))


@pytest.fixture(scope="module")
def refined(planted):
    candidates = [Candidate(kernel, "linear") for kernel in (TRUE, MOVED, WRONG)]
    return refine_answers(load_method("auto").refiner, planted.blurry, candidates, PREDICTIONS)


def test_every_measure_is_there_and_finite(refined):
    for answer in refined:
        assert set(answer.measures) == set(REFINED_MEASURES)
        assert all(math.isfinite(value) for value in answer.measures.values())


def test_the_image_is_that_which_would_be_given(planted, refined):
    error = [float((answer.image - planted.sharp).square().mean()) for answer in refined]
    assert refined[0].image.shape == planted.blurry.shape
    assert error[0] < float((planted.blurry - planted.sharp).square().mean()) < error[2]


def test_the_refiner_undoes_more_of_a_wrong_answer_and_it_explains_less(refined):
    right, _, wrong = (answer.measures for answer in refined)
    assert right["log_undone"] < wrong["log_undone"]
    assert right["log_residual_over_noise"] < wrong["log_residual_over_noise"]


def test_answers_of_one_kernel_agree_wherever_they_lie(refined):
    right, moved, wrong = (answer.measures for answer in refined)
    assert right["image_agreement"] == pytest.approx(moved["image_agreement"])
    assert wrong["image_agreement"] < right["image_agreement"]
    assert right["image_agreement"] > 0.9


def test_what_was_predicted_before_is_kept(refined):
    assert [answer.measures["behind"] for answer in refined] == [0.0, 1.0, 2.0]
    assert refined[2].measures["first_spread"] == 2.0


def test_a_single_answer_agrees_with_none(planted):
    [alone] = refine_answers(
        load_method("auto").refiner, planted.blurry, [Candidate(TRUE, "linear")], [GainPrediction(3.0, 1.0)]
    )
    assert alone.measures["image_agreement"] == alone.measures["mean_image_agreement"] == 0
