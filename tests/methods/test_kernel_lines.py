"""A line in place of a ragged kernel."""

import pytest

from unblur.blur.convolve import convolve
from unblur.blur.kernels import disk_kernel, fit_box, gaussian_kernel, kernel_axes, linear_kernel
from unblur.methods.kernel_search.lines import fit_line
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
