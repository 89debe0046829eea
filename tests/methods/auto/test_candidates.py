"""What auto chooses among."""

from collections import defaultdict

import pytest
import torch

from planted import plant, shake
from unblur.blur.convolve import convolve
from unblur.blur.kernels import linear_kernel
from unblur.datasets.photo_kinds.scenes import text_page
from unblur.images.tensors import brightness, linear_to_srgb
from unblur.methods.auto.candidates import find_candidates, find_large_candidates
from unblur.methods.base import ignore_step
from unblur.methods.kernel_search.pyramid import PAGE_HYPOTHESES
from unblur.methods.kernel_search.search import Candidate, search_again
from unblur.methods.kernel_search.settings import SearchSettings
from unblur.methods.options import RestoreOptions
from unblur.metrics.kernel import kernel_similarity_upto_shift

QUICK = SearchSettings(hypotheses=1, rounds=1, first_box=9, largest_box=9)


def test_straight_motion_competes_with_what_is_searched():
    true = linear_kernel(13.0, 75.0)
    photo = plant(true, (160, 180)).blurry
    found = find_candidates(photo, "encoded", RestoreOptions(), QUICK, ignore_step).candidates
    assert {"search", "line"} <= {one.origin for one in found}
    assert all(one.encoding == "encoded" and one.kernel.shape[-1] % 2 == 1 for one in found)
    likeness: dict[str, list[float]] = defaultdict(list)
    for one in found:
        likeness[one.origin].append(float(kernel_similarity_upto_shift(one.kernel, true)))
    assert max(likeness["line"]) > max(0.9, *likeness["search"])


def test_a_region_is_all_that_is_looked_at():
    photo = plant(linear_kernel(13.0, 75.0), (120, 200)).blurry
    photo[..., :100] = plant(linear_kernel(9.0, 0.0), (120, 100), seed=1).blurry
    part = RestoreOptions(region=(0, 0, 100, 120))
    found = find_candidates(photo, "encoded", part, QUICK, ignore_step).candidates
    alone = find_candidates(photo[..., :100], "encoded", RestoreOptions(), QUICK, ignore_step).candidates
    assert [one.kernel.tolist() for one in found] == [one.kernel.tolist() for one in alone]


def test_a_page_is_searched_as_ink_on_paper_too():
    page = brightness(linear_to_srgb(text_page((160, 200), torch.Generator().manual_seed(0))))
    photo = convolve(page, shake(9), "replicate")
    scene = plant(shake(9), (160, 200)).blurry * torch.linspace(0.2, 1, 200)
    options = RestoreOptions()
    numbers = [
        {one.hypothesis for one in find_candidates(image, "linear", options, QUICK, ignore_step).candidates}
        for image in (photo, scene)
    ]
    page_number = PAGE_HYPOTHESES[0].number
    assert page_number in numbers[0]
    assert page_number not in numbers[1]


def test_where_nothing_can_be_searched_nothing_is_proposed():
    blank = plant(linear_kernel(5.0, 0.0), (20, 20)).blurry
    finding = find_candidates(blank, "encoded", RestoreOptions(), QUICK, ignore_step)
    assert not finding.candidates
    assert finding.fault


def test_a_second_pass_brings_a_rough_kernel_nearer_to_the_true_one():
    true = shake(15, 3)
    photo = plant(true, (160, 180)).blurry
    rough = torch.nn.functional.avg_pool2d(true, 3, 1, 1)
    starts = [Candidate(rough / rough.sum(), "encoded", score=0.5), Candidate(shake(9, 1), "encoded")]
    steps: list[float] = []
    again = search_again(photo, starts, SearchSettings(), RestoreOptions(), lambda step: steps.append(step.fraction))
    assert [one.origin for one in again] == ["second-pass"] * 2
    before, after = (float(kernel_similarity_upto_shift(one.kernel, true)) for one in (starts[0], again[0]))
    assert after > max(0.9, before)
    assert steps == sorted(steps)
    assert steps[-1] == 1


@pytest.mark.slow
def test_large_kernels_are_found_in_a_large_box():
    true = linear_kernel(45.0, 30.0)
    photo = plant(true, (300, 340), light="linear").blurry
    large = find_large_candidates(photo, "linear", RestoreOptions(), SearchSettings(), ignore_step).candidates
    assert max(float(kernel_similarity_upto_shift(one.kernel, true)) for one in large) > 0.8
