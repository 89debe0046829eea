"""Which network's answer is taken: made-up judgements in, a name out."""

import pytest
import torch

from planted import plant
from unblur.blur.kernels import linear_kernel
from unblur.methods.dublid.choice import choose_network, judge_kernel
from unblur.methods.kernel_search.answer_quality import Judgement
from unblur.methods.options import RestoreOptions


def scored(score: float) -> Judgement:
    """A judgement of that score: the misfit of 1 and the colour of 0 add nothing to it."""
    return Judgement(sparsity=score, misfit=1.0, colour=0.0, unexplained=0.0, noise_share=0.0, unremoved=1.0)


@pytest.mark.parametrize(
    ("motion", "linear", "chosen"), [(0.2, 0.22, "linear"), (0.2, 0.24, "motion"), (0.2, 0.1, "linear")]
)
def test_straight_motion_has_a_head_start(motion, linear, chosen):
    judgements = {"motion": scored(motion), "linear": scored(linear)}
    assert choose_network({"motion": None, "linear": None}, judgements) == chosen


def test_an_answer_with_a_fault_comes_last():
    judgements = {"motion": scored(0.9), "linear": scored(0.1)}
    assert choose_network({"motion": None, "linear": "is wrong"}, judgements) == "motion"
    assert choose_network({"motion": "is wrong", "linear": "is wrong"}, judgements) == "linear"


@pytest.mark.parametrize("encoding", ["auto", "encoded", "linear"])
def test_the_true_kernel_is_judged_better_than_another(encoding):
    photo = plant(linear_kernel(11, 30), size=(120, 130), noise=0.001)
    options = RestoreOptions(encoding=encoding)
    true, other = (judge_kernel(photo.blurry, kernel, options, 2.0) for kernel in (photo.kernel, photo.kernel.mT))
    assert true.score < other.score
    assert true.unexplained < other.unexplained


def test_the_region_is_judged_alone():
    photo = plant(linear_kernel(11, 30), size=(120, 130), noise=0.001)
    wide = torch.cat([torch.full_like(photo.blurry, 0.5), photo.blurry], dim=-1)
    options = RestoreOptions(encoding="encoded", region=(130, 0, 130, 120))
    alone = judge_kernel(photo.blurry, photo.kernel, RestoreOptions(encoding="encoded"), 2.0)
    assert judge_kernel(wide, photo.kernel, options, 2.0).score == pytest.approx(alone.score, abs=1e-4)
