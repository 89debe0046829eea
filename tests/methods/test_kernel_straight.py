"""A straight motion fitted to a photo, beginning with a kernel that is nearly one."""

import pytest
import torch

from planted import plant
from unblur.blur.convolve import convolve
from unblur.blur.kernels import disk_kernel, fit_box, gaussian_kernel, kernel_axes, linear_kernel
from unblur.methods.kernel_search.straight import fit_straight_motion
from unblur.metrics.kernel import kernel_rmse_upto_shift


@pytest.mark.parametrize(("length", "angle"), [(8.0, 25.0), (14.0, -60.0)])
def test_a_ragged_kernel_becomes_the_line_that_blurred_the_photo(length, angle):
    photo = plant(linear_kernel(length, angle), size=(150, 160), noise=0.001)
    near = fit_box(linear_kernel(length - 1, angle + 4), photo.kernel.shape[-1] + 4)
    ragged = convolve(near, gaussian_kernel(0.6), "zeros")
    straight = fit_straight_motion(photo.blurry, ragged / ragged.sum())
    assert straight is not None
    before, after = (float(kernel_rmse_upto_shift(one, photo.kernel)) for one in (ragged, straight.kernel))
    assert after < before / 2
    axes, true = kernel_axes(straight.kernel), kernel_axes(photo.kernel)
    assert axes.along == pytest.approx(true.along, rel=0.05)
    assert (axes.angle - true.angle + 90) % 180 - 90 == pytest.approx(0, abs=2)
    assert 0.5 < straight.similarity < 1


def test_a_kernel_as_broad_as_long_is_none():
    photo = plant(disk_kernel(3.0), size=(100, 110))
    assert fit_straight_motion(photo.blurry, photo.kernel) is None


def test_a_kernel_with_a_corner_is_not_similar_to_a_line():
    corner = torch.zeros(1, 1, 15, 15)
    corner[..., 7, 2:11] = 1
    corner[..., 2:8, 10] = 1
    photo = plant(corner / corner.sum(), size=(150, 160), noise=0.001)
    straight = fit_straight_motion(photo.blurry, photo.kernel)
    assert straight is None or straight.similarity < 0.85
