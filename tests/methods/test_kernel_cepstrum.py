"""Straight motion and defocus are read off the cepstrum of drawn pictures."""

import pytest
import torch

from planted import plant
from unblur.blur.kernels import disk_kernel, kernel_axes, linear_kernel
from unblur.methods.kernel_search.cepstrum import log_spectrum, propose_disks, propose_lines, spectral_match
from unblur.metrics.kernel import kernel_similarity_upto_shift

SIZE = (200, 230)


@pytest.mark.parametrize(("length", "angle"), [(7.0, 20.0), (13.0, 75.0), (22.0, 140.0)])
def test_straight_motion_is_among_the_proposals(length, angle):
    true = linear_kernel(length, angle)
    lines = propose_lines(log_spectrum(plant(true, SIZE).blurry), 3)
    assert len(lines) == 3
    assert max(float(kernel_similarity_upto_shift(line, true)) for line in lines) > 0.9


@pytest.mark.parametrize("radius", [3.0, 5.5])
def test_defocus_is_proposed_with_its_radius(radius):
    (disk,) = propose_disks(log_spectrum(plant(disk_kernel(radius), SIZE).blurry))
    assert 2 * kernel_axes(disk).along == pytest.approx(radius, abs=0.35)


def test_the_spectrum_tells_the_right_kernel():
    true = linear_kernel(13.0, 75.0)
    spectrum = log_spectrum(plant(true, SIZE).blurry)
    right = spectral_match(spectrum, true)
    assert right > 0.5
    for wrong in (linear_kernel(13.0, 15.0), linear_kernel(21.0, 75.0), disk_kernel(5.0)):
        assert right > spectral_match(spectrum, wrong) + 0.1
    assert abs(spectral_match(spectrum, torch.ones(1, 1, 301, 301) / 301**2)) <= 1


def test_a_small_photo_has_few_proposals():
    spectrum = log_spectrum(plant(linear_kernel(5.0, 0.0), (32, 40)).blurry)
    assert all(line.shape[-1] <= 32 for line in propose_lines(spectrum, 3))
    assert len(propose_disks(spectrum)) <= 1
