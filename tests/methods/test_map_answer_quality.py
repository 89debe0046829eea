from dataclasses import replace

import pytest
import torch

from planted import Planted, draw_picture, plant, shake
from unblur.blur.kernels import disk_kernel, gaussian_kernel
from unblur.methods.kernel_search.answer_quality import Judgement, find_fault, judge, touches_box
from unblur.solvers.photo import restore_with_kernel

GOOD = Judgement(sparsity=0.5, misfit=0.003, colour=0.0, unexplained=0.1, noise_share=0.1, unremoved=1.0)


def judged(planted: Planted, kernel: torch.Tensor) -> Judgement:
    restored = restore_with_kernel(planted.blurry, kernel, encoding="encoded")
    return judge(planted.blurry, kernel, restored)


def impulse(side: int = 15) -> torch.Tensor:
    kernel = torch.zeros(1, 1, side, side)
    kernel[..., side // 2, side // 2] = 1
    return kernel


@pytest.mark.parametrize("seed", range(4))
def test_the_true_kernel_scores_best(seed):
    planted = plant(shake(15, seed, (15, 20)), (128, 128), seed=seed)
    true = judged(planted, planted.kernel).score
    for wrong in (planted.kernel.transpose(-2, -1), shake(15, seed + 10), disk_kernel(5, size=15), impulse()):
        assert true < judged(planted, wrong).score


def test_a_wrong_kernel_leaves_a_coloured_misfit_of_more_power():
    planted = plant(shake(15, 3, (15, 20)), (128, 128))
    true, wrong = judged(planted, planted.kernel), judged(planted, shake(15, 11))
    assert true.colour < 0.2 < wrong.colour
    assert true.misfit < wrong.misfit
    assert true.unexplained < wrong.unexplained


@pytest.mark.parametrize("light", ["encoded", "linear"])
@pytest.mark.parametrize("noise", [0.003, 0.02])
def test_frequencies_that_the_kernel_removed_hold_nothing_but_noise(light, noise):
    planted = plant(shake(15, 3, (15, 20)), (128, 128), light=light, noise=noise)
    assert 0.5 < judged(planted, planted.kernel).unremoved < 2


def test_a_sharp_photo_holds_what_a_kernel_would_have_removed():
    sharp = draw_picture(128, 128)
    for kernel in (gaussian_kernel(1.0), disk_kernel(2), shake(15, 3)):
        assert judge(sharp, kernel, sharp).unremoved > 20


def test_the_right_answer_has_no_fault():
    planted = plant(shake(15, 3, (15, 20)), (128, 128))
    assert find_fault(planted.kernel, judged(planted, planted.kernel)) is None


@pytest.mark.parametrize(
    ("kernel", "judgement", "words"),
    [
        (impulse(), GOOD, "so small that the photo looks sharp"),
        (shake(15, 3, (15, 20)), replace(GOOD, unremoved=20.0), "so small that the photo looks sharp"),
        (shake(15, 3, (15, 20)), replace(GOOD, noise_share=0.99), "could not be distinguished from noise"),
        (torch.full((1, 1, 15, 15), 1 / 225), GOOD, "could not be distinguished from noise"),
        (shake(15, 3, (15, 20)), replace(GOOD, unexplained=0.8), "not the same everywhere"),
    ],
)
def test_what_cannot_be_trusted_is_named(kernel, judgement, words):
    assert words in find_fault(kernel, judgement)


def test_a_photo_of_two_pixels_is_judged_too():
    answer = judge(torch.full((1, 1, 2, 2), 0.5), impulse(3), torch.full((1, 1, 2, 2), 0.5))
    assert answer.score == answer.score
    assert answer.unexplained == 0


def test_no_noise_and_no_detail_divide_nothing_by_zero():
    flat = torch.full((1, 1, 20, 20), 0.5)
    answer = judge(flat, impulse(3), flat)
    assert (answer.sparsity, answer.misfit, answer.colour, answer.unexplained) == (0, 0, 0, 0)


@pytest.mark.parametrize("kernel", [impulse(), gaussian_kernel(1.5, size=15), disk_kernel(5, size=15)])
def test_a_kernel_within_its_box_does_not_touch_it(kernel):
    assert not touches_box(kernel)


@pytest.mark.parametrize("kernel", [disk_kernel(7.4, size=15), torch.full((1, 1, 15, 15), 1 / 225)])
def test_a_kernel_that_fills_its_box_touches_it(kernel):
    assert touches_box(kernel)


def test_one_end_at_the_border_is_enough():
    path = torch.zeros(1, 1, 31, 31)
    path[..., 15, 3:31] = 1 / 28
    assert touches_box(path)


def test_the_blurry_photo_is_left_as_it_was():
    blurry = draw_picture(32, 32)
    before = blurry.clone()
    judge(blurry, impulse(5), blurry)
    assert torch.equal(blurry, before)
