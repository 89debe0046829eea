import numpy as np
import pytest
import torch

from planted import shake
from unblur.blur.kernels import kernel_axes
from unblur.methods.base import BlurSoFar, Step
from unblur.methods.options import Region, RestoreOptions
from unblur.methods.reduced_size import Size, enlarge_kernel, options_at, size_of, steps_at


def middle_of(kernel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of its light, (down, right) of the middle of its box."""
    places = torch.arange(kernel.shape[-1]) - kernel.shape[-1] // 2
    return (kernel[0, 0].sum(1) * places).sum(), (kernel[0, 0].sum(0) * places).sum()


PHOTO, HALF = Size(300, 401), Size(150, 200)


def test_options_in_pixels_are_those_of_the_small_photo():
    mask = np.zeros(PHOTO, dtype=bool)
    mask[100:200, 51:301] = True
    options = RestoreOptions(kernel_size=51, region=Region(300, 100, 101, 200), mask=mask, seed=3)
    small = options_at(HALF, PHOTO, options)
    assert small.kernel_size == 27
    assert small.region == Region(149, 50, 50, 100)
    assert small.mask.shape == HALF
    assert small.mask[55:95, 30:148].all()
    assert 0.9 < small.mask.sum() / (50 * 125) <= 1
    assert small.seed == 3


def test_options_without_pixels_stay():
    assert options_at(PHOTO, PHOTO, RestoreOptions(kernel_size=51)).kernel_size == 51
    plain = options_at(HALF, PHOTO, RestoreOptions())
    assert plain.kernel_size is None
    assert plain.mask is None
    assert plain.region is None


def test_of_a_thin_mask_something_stays():
    mask = np.zeros(PHOTO, dtype=bool)
    mask[100:101] = True
    assert options_at(HALF, PHOTO, RestoreOptions(mask=mask)).mask.any()


@pytest.mark.parametrize("edge", [Region(400, 299, 1, 1), Region(0, 0, 401, 300), Region(399, 0, 2, 300)])
def test_a_region_at_the_edge_stays_inside(edge):
    small = options_at(HALF, PHOTO, RestoreOptions(region=edge)).region
    assert small is not None
    assert 0 <= small.x < small.x + small.width <= HALF.width
    assert 0 <= small.y < small.y + small.height <= HALF.height


def test_a_kernel_becomes_as_much_larger_as_the_photo():
    kernel = shake(13, 3)
    larger = enlarge_kernel(kernel, HALF, PHOTO)
    assert larger.shape[-1] == 27
    assert float(larger.sum()) == pytest.approx(1)
    for spread, twice in zip(kernel_axes(kernel), kernel_axes(larger), strict=True):
        assert twice == pytest.approx(2 * spread, rel=0.1) or twice == pytest.approx(spread, abs=1)  # the angle
    assert [float(x) for x in middle_of(larger)] == pytest.approx([2 * float(x) for x in middle_of(kernel)], abs=0.1)
    assert torch.equal(enlarge_kernel(kernel, PHOTO, PHOTO), kernel)


def test_kernels_of_a_search_are_those_of_a_coarse_level():
    seen: list[Step] = []
    hook = steps_at(HALF, PHOTO, seen.append)
    hook(Step(0.5, "looking", blur=BlurSoFar(shake(5), 0.5, "linear")))
    hook(Step(0.6, "looking"))
    assert seen[0].blur is not None
    assert seen[0].blur.scale == 0.25
    assert seen[1].blur is None
    assert steps_at(PHOTO, PHOTO, seen.append) == seen.append


def test_the_size_of_an_image():
    assert size_of(torch.zeros(1, 3, 4, 5)) == Size(height=4, width=5)
