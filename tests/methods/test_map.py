"""Blind MAP as a whole: plant a blur, find it, and know when there is none to find."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from planted import Planted, draw_picture, plant, psnr, shake, shifted_psnr
from unblur.errors import Cancelled
from unblur.images.tensors import brightness
from unblur.methods.apply import restore_tensor
from unblur.methods.base import Restoration, Step, ignore_step
from unblur.methods.classical_map.settings import MapSettings
from unblur.methods.kernel_search import pyramid, search
from unblur.methods.kernel_search.answer_quality import judge
from unblur.methods.kernel_search.pyramid import SPREAD_SECOND_PASSES, plan_levels
from unblur.methods.kernel_search.settings import SearchSettings
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.metrics.kernel import kernel_similarity_upto_shift
from unblur.solvers.photo import restore_with_kernel
from unblur.solvers.priors import PRIORS

KERNEL = shake(15, 3, (15, 20))
QUICK = {"hypotheses": 1, "first_box": 15}


@pytest.fixture(scope="module")
def small() -> Planted:
    return plant(KERNEL, (104, 112), noise=0.005)


@pytest.fixture(scope="module")
def quick_answer(small) -> Restoration:
    return restored(small.blurry, QUICK)


def restored(blurry: torch.Tensor, settings: dict | None = None, on_step=ignore_step, **options) -> Restoration:
    return restore_tensor(blurry, load_method("map", settings), RestoreOptions(**options), on_step)


def gain(answer: Restoration, planted: Planted, margin: int = 20) -> float:
    after, before = (shifted_psnr(image, planted.sharp, margin) for image in (answer.image, planted.blurry))
    return after - before


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_planted_blur_is_found_and_removed(seed):
    planted = plant(shake(15, seed + 3, (15, 20)), (150, 150), seed=seed)
    answer = restored(planted.blurry)
    assert kernel_similarity_upto_shift(answer.kernel, planted.kernel) > 0.6
    assert gain(answer, planted) >= 3
    assert answer.warnings == ()
    assert len(answer.history["score"]) == MapSettings().hypotheses
    assert answer.history["score"][answer.facts["hypothesis"]] == min(answer.history["score"])


def test_the_kernel_of_a_second_pass_is_kept_unless_it_is_far_worse(small, quick_answer, monkeypatch):
    once = restored(small.blurry, QUICK | {"second_pass": False})
    assert not torch.equal(quick_answer.kernel, once.kernel)
    assert kernel_similarity_upto_shift(quick_answer.kernel, KERNEL) > 0.9
    monkeypatch.setattr(search, "_FAR_WORSE", -10.0)
    torch.testing.assert_close(restored(small.blurry, QUICK).kernel, once.kernel)


def test_of_rivals_the_best_after_the_second_pass_is_kept(small, monkeypatch):
    settings, options = SearchSettings(hypotheses=2, rounds=2, rivals=True), RestoreOptions(encoding="encoded")
    monkeypatch.setattr(search, "_FAR_WORSE", math.inf)
    grey = brightness(small.blurry)
    found = search.find_kernel(grey, settings, options, ignore_step, second_pass=True)
    again = search.search_again(grey, found.candidates, settings, options, ignore_step, hypotheses=SPREAD_SECOND_PASSES)
    scores = {}
    for one in again:
        answer = restore_with_kernel(grey, one.kernel, encoding="encoded", jpeg_coarseness=0, quick=True)
        scores[judge(grey, one.kernel, answer).score_of_refined] = one.kernel
    assert len(scores) == 8, "each of two hypotheses, as it is and with light spread, after two passes"
    assert torch.equal(found.kernel, scores[min(scores)])


def test_the_ridge_falls_to_the_last_one(small, monkeypatch):
    ridges = []

    def spy(*given, ridge):
        ridges.append(float(ridge))
        return fit_kernel(*given, ridge=ridge)

    fit_kernel = pyramid.fit_kernel
    monkeypatch.setattr(pyramid, "fit_kernel", spy)
    grey, falling = brightness(small.blurry), replace(pyramid.HYPOTHESES[0], ridge=160.0, last_ridge=2.0)
    for hypothesis in (falling, pyramid.SPREAD_HYPOTHESES[0]):
        problem = pyramid.KernelSearch(grey, 9, (hypothesis,))
        pyramid.estimate_kernels([problem], PRIORS["l0"], rounds=2, pixels=2_000, on_round=lambda *_: None)
    half = len(ridges) // 2
    shares = [after / before for before, after in pairwise(ridges[:half])]
    assert ridges[0] == 160
    assert ridges[half - 1] == pytest.approx(2)
    assert shares == pytest.approx([shares[0]] * (half - 1))
    assert ridges[half:] == [160] * half


def test_a_kernel_larger_than_the_first_box_is_found_by_growing():
    planted = plant(shake(45, 6, (60, 80)), (200, 200), seed=3)
    answer = restored(planted.blurry, {"hypotheses": 2}, encoding="encoded")
    assert answer.kernel.shape[-1] > 31
    assert kernel_similarity_upto_shift(answer.kernel, planted.kernel) > 0.6
    assert gain(answer, planted, 30) >= 3


@pytest.mark.parametrize("light", ["encoded", "linear"])
def test_the_encoding_of_the_blur_is_recognised(light):
    """On pictures from black to white; where there is little contrast the two hardly differ."""
    lights = [
        restored(plant(shake(15, seed, (15, 20)), (150, 160), seed=seed, light=light).blurry, QUICK).facts["encoding"]
        for seed in (1, 3)
    ]
    assert lights == [light, light]


def test_a_large_photo_is_searched_in_a_part_of_it(monkeypatch):
    planted = plant(KERNEL, (180, 220))
    looked_at: list[int] = []
    estimate = search.estimate_kernels

    def spy(problems, *rest, **named):
        looked_at.extend(problem.grey.numel() for problem in problems)
        return estimate(problems, *rest, **named)

    monkeypatch.setattr(search, "estimate_kernels", spy)
    monkeypatch.setattr(search, "_LARGE", 30_000)
    monkeypatch.setattr(search, "_PLENTY", 20_000)
    answer = restored(planted.blurry, QUICK | {"largest_box": 31}, encoding="encoded")
    assert looked_at
    assert max(looked_at) <= 21_000
    assert gain(answer, planted) >= 3


@pytest.mark.parametrize("prior", PRIORS)
def test_every_prior_gains(small, prior):
    answer = restored(small.blurry, QUICK | {"prior": prior})
    assert gain(answer, small) >= 3


@pytest.mark.parametrize(
    "photo",
    {
        "sharp": draw_picture(96, 96),
        "constant": torch.full((1, 1, 64, 64), 0.4),
        "noise": (0.5 + 0.1 * torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))).clamp(0, 1),
        "low": draw_picture(15, 60),
        "one pixel": torch.full((1, 3, 1, 1), 0.7),
    }.items(),
    ids=lambda item: item[0],
)
def test_where_there_is_no_blur_to_find_the_photo_stays_and_a_warning_says_so(photo):
    answer = restored(photo[1])
    assert psnr(answer.image, photo[1]) >= 38
    assert len(answer.warnings) == 1
    assert "returned as it was" in answer.warnings[0]


def test_the_kernel_size_is_a_bound(small):
    answer = restored(small.blurry, {"hypotheses": 1}, kernel_size=7)
    assert max(answer.kernel.shape[-2:]) <= 7


def test_the_blur_is_looked_for_in_the_region(small):
    """Two halves, blurred differently: each region finds its own kernel."""
    other = plant(shake(15, 8, (15, 20)), (104, 112), seed=5, noise=0.005)
    both = torch.cat([small.blurry, other.blurry], dim=-1)
    for x, planted, stranger in ((0, small, other), (112, other, small)):
        answer = restored(both, QUICK, region=(x, 0, 112, 104))
        own, foreign = (kernel_similarity_upto_shift(answer.kernel, one.kernel) for one in (planted, stranger))
        assert own > 0.6
        assert own > foreign
        assert answer.image.shape == both.shape


def test_a_kernel_that_is_known_is_not_looked_for(small):
    answer = restored(small.blurry, kernel=KERNEL)
    expected = restore_tensor(small.blurry, load_method("known-kernel"), RestoreOptions(kernel=KERNEL))
    assert torch.equal(answer.image, expected.image)


def test_progress_rises_through_both_stages_and_can_stop(small):
    seen: list[Step] = []
    restored(small.blurry, QUICK, on_step=seen.append)
    fractions = [step.fraction for step in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert [*dict.fromkeys(step.stage for step in seen)] == ["looking for the blur", "restoring the photo"]

    def stop(step: Step) -> None:
        if step.fraction > 0.3:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        restored(small.blurry, QUICK, on_step=stop)


def test_the_same_answer_twice(small, quick_answer):
    again = restored(small.blurry, QUICK)
    assert torch.equal(again.image, quick_answer.image)
    assert torch.equal(again.kernel, quick_answer.kernel)


def test_double_precision_finds_the_same_blur(small, quick_answer):
    answer = restored(small.blurry.double(), QUICK)
    assert answer.image.dtype == torch.float64
    assert kernel_similarity_upto_shift(answer.kernel.float(), quick_answer.kernel) > 0.9
    assert gain(answer, small) > gain(quick_answer, small) - 1


def test_colours_share_one_blur(small):
    colours = small.blurry * torch.tensor([1.0, 0.8, 0.6]).view(1, 3, 1, 1)
    answer = restored(colours, QUICK)
    assert answer.kernel.shape[1] == 1
    assert kernel_similarity_upto_shift(answer.kernel, KERNEL) > 0.6


@pytest.mark.parametrize("box", [3, 5, 15, 31, 127])
@pytest.mark.parametrize("ratio", [0.5**0.5, 0.8])
def test_levels_grow_to_the_photo_and_the_box(box, ratio):
    levels = plan_levels((300, 200), box, ratio)
    assert (levels[-1].photo, levels[-1].box) == ((300, 200), box)
    assert levels[0].box <= 7
    for coarse, fine in pairwise(levels):
        assert coarse.photo <= fine.photo
        assert coarse.box <= fine.box
        assert fine.box % 2 == 1
