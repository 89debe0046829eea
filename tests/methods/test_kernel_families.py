"""Members of a family in place of ragged kernels."""

import pytest
import torch

from unblur.blur.convolve import convolve
from unblur.blur.kernels import disk_kernel, fit_box, gaussian_kernel, kernel_axes, linear_kernel
from unblur.methods.kernel_search.families import fit_disk, fit_gaussians, fit_line
from unblur.metrics.kernel import kernel_similarity_upto_shift


@pytest.mark.parametrize(("length", "angle"), [(6.0, 30.0), (15.0, -50.0)])
def test_a_thickened_line_becomes_one_of_its_direction(length, angle):
    true = linear_kernel(length, angle)
    thick = convolve(fit_box(true, true.shape[-1] + 6), gaussian_kernel(0.7), "zeros")
    line = fit_line(thick)
    assert line is not None
    assert (kernel_axes(line).angle - angle + 90) % 180 - 90 == pytest.approx(0, abs=3)
    assert float(kernel_similarity_upto_shift(line, true)) > 0.9


def test_round_kernels_are_no_lines():
    assert fit_line(disk_kernel(3.0)) is None


def test_slender_kernels_are_no_disks():
    assert fit_disk(linear_kernel(9.0, 20.0)) is None
    assert fit_gaussians(linear_kernel(9.0, 20.0)) == []


@pytest.mark.parametrize("radius", [1.5, 3.0, 7.0])
def test_a_noisy_disk_becomes_one_of_its_radius(radius):
    true = disk_kernel(radius)
    noise = torch.rand(true.shape, generator=torch.Generator().manual_seed(0))
    disk = fit_disk(true * (0.5 + noise))
    assert disk is not None
    assert float(kernel_similarity_upto_shift(disk, true)) > 0.98


@pytest.mark.parametrize("sigma", [1.3, 3.0])
def test_a_gaussian_without_its_rim_is_made_whole(sigma):
    true = gaussian_kernel(sigma)
    cut = torch.where(true > 0.15 * true.max(), true, 0.0)
    cut = cut / cut.sum()
    before = float(kernel_similarity_upto_shift(cut, true))
    assert max(float(kernel_similarity_upto_shift(one, true)) for one in fit_gaussians(cut)) > max(before, 0.995)
