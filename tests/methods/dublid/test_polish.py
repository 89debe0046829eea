"""A rough kernel made sharper on the photo, and a line in place of one that is nearly straight."""

import pytest
import torch

from planted import plant
from unblur.blur.convolve import convolve
from unblur.blur.kernels import fit_box, gaussian_kernel, linear_kernel
from unblur.blur.trajectories import sample_motion_kernel
from unblur.methods.base import ignore_step
from unblur.methods.dublid.polish import find_line, polish_kernel
from unblur.methods.options import RestoreOptions
from unblur.metrics.kernel import kernel_rmse_upto_shift

SHAKE = sample_motion_kernel(21, torch.Generator().manual_seed(2), length=(20, 25))


@pytest.mark.parametrize("encoding", ["encoded", "linear"])
def test_a_kernel_that_is_too_soft_comes_nearer_to_the_true_one(encoding):
    photo = plant(SHAKE, size=(150, 160), noise=0.001, light=encoding)
    soft = convolve(fit_box(SHAKE, 45), gaussian_kernel(1.0), "zeros")
    polished = polish_kernel(photo.blurry, soft / soft.sum(), RestoreOptions(encoding=encoding), ignore_step)
    before, after = (float(kernel_rmse_upto_shift(one, SHAKE)) for one in (soft, polished.kernel))
    assert after < 0.8 * before
    assert float(polished.kernel.sum()) == pytest.approx(1, abs=1e-4)
    assert polished.encoding == encoding


def test_the_photo_says_where_it_was_blurred():
    photo = plant(SHAKE, size=(150, 160), noise=0.001, light="linear")
    soft = convolve(fit_box(SHAKE, 45), gaussian_kernel(1.0), "zeros")
    fractions: list[float] = []
    found = polish_kernel(
        photo.blurry, soft / soft.sum(), RestoreOptions(), lambda step: fractions.append(step.fraction)
    )
    assert found.encoding == "linear"
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)


def test_a_line_is_offered_for_a_kernel_that_is_nearly_one():
    photo = plant(linear_kernel(12, 40), size=(150, 160), noise=0.001)
    nearly = convolve(fit_box(photo.kernel, 17), gaussian_kernel(0.5), "zeros")
    line = find_line(photo.blurry, nearly / nearly.sum(), "encoded")
    assert line is not None
    assert float(kernel_rmse_upto_shift(line, photo.kernel)) < 0.5 * float(kernel_rmse_upto_shift(nearly, photo.kernel))


def test_no_line_is_offered_for_a_winding_kernel():
    photo = plant(SHAKE, size=(150, 160), noise=0.001)
    assert find_line(photo.blurry, SHAKE, "encoded") is None
