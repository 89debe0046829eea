"""Which network's answer is taken: made-up judgements in, a name out."""

import pytest
import torch

from planted import plant
from unblur.blur.kernels import linear_kernel
from unblur.methods.dublid.choice import (
    Verdict,
    choose_network,
    decide_encoding,
    informative_part,
    is_settled,
    judge_kernel,
    prefers_line,
)
from unblur.methods.kernel_search.answer_quality import Judgement
from unblur.methods.options import RestoreOptions


def scored(score: float, fault: str | None = None) -> Verdict:
    """A verdict of that score: the misfit of 1 and the colour of 0 add nothing to it."""
    judgement = Judgement(sparsity=score, misfit=1.0, colour=0.0, unexplained=0.0, noise_share=0.0, unremoved=1.0)
    return Verdict(judgement, "encoded", fault)


@pytest.mark.parametrize(
    ("motion", "linear", "chosen"), [(0.2, 0.22, "linear"), (0.2, 0.24, "motion"), (0.2, 0.1, "linear")]
)
def test_straight_motion_has_a_head_start(motion, linear, chosen):
    assert choose_network({"motion": scored(motion), "linear": scored(linear)}) == chosen


def test_an_answer_with_a_fault_comes_last():
    wrong = scored(0.1, "is wrong")
    assert choose_network({"motion": scored(0.9), "linear": wrong}) == "motion"
    assert choose_network({"motion": scored(0.9, "is wrong"), "linear": wrong}) == "linear"


@pytest.mark.parametrize(
    ("network", "kernel", "fault", "settled"),
    [
        ("linear", linear_kernel(15, 30), None, True),
        ("linear", linear_kernel(15, 30), "is wrong", False),
        ("motion", linear_kernel(15, 30), None, False),
        ("linear", (linear_kernel(15, 30, size=21) + linear_kernel(15, 60, size=21)) / 2, None, False),
        ("linear", linear_kernel(3, 30), None, False),
    ],
)
def test_one_network_is_enough_where_that_for_straight_motion_finds_some(network, kernel, fault, settled):
    assert is_settled(network, kernel, scored(0.1, fault), polished=False) == settled


@pytest.mark.parametrize(
    ("network", "fault", "settled"), [("motion", None, True), ("motion", "is wrong", False), ("linear", None, False)]
)
def test_a_polished_kernel_of_the_network_for_shake_is_enough(network, fault, settled):
    kernel = torch.full((1, 1, 5, 5), 1 / 25)
    assert is_settled(network, kernel, scored(0.1, fault), polished=True) == settled


@pytest.mark.parametrize(
    ("line", "preferred"), [(scored(0.11), True), (scored(0.13), False), (scored(0.0, "is wrong"), False)]
)
def test_a_line_may_score_a_little_worse(line, preferred):
    assert prefers_line(line, scored(0.1)) == preferred


@pytest.mark.parametrize("encoding", ["auto", "encoded", "linear"])
def test_the_true_kernel_is_judged_better_than_another(encoding):
    photo = plant(linear_kernel(11, 30), size=(120, 130), noise=0.001)
    part = informative_part(photo.blurry, photo.kernel, options := RestoreOptions(encoding=encoding))
    verdicts = (
        judge_kernel(part, kernel, decide_encoding(part, kernel, options), 2.0)
        for kernel in (photo.kernel, photo.kernel.mT)
    )
    true, other = (verdict.judgement for verdict in verdicts)
    assert true.score < other.score
    assert true.unexplained < other.unexplained


def test_the_region_is_looked_at_alone():
    photo = plant(linear_kernel(11, 30), size=(120, 130), noise=0.001)
    wide = torch.cat([torch.full_like(photo.blurry, 0.5), photo.blurry], dim=-1)
    options = RestoreOptions(encoding="encoded", region=(130, 0, 130, 120))
    assert torch.equal(informative_part(wide, photo.kernel, options), photo.blurry)
