"""Kernels of a burst fitted to an image that is nearer to the truth."""

import torch

from planted import draw_picture, shake
from unblur.blur.convolve import convolve
from unblur.methods.burst.second_fit import Shots, fit_to_improved

KERNELS = torch.cat([shake(11, seed, (12, 16)) for seed in (1, 4)])
SHARP = draw_picture(120, 130, seed=3)


def shots() -> Shots:
    photos = convolve(SHARP.expand(2, -1, -1, -1), KERNELS, "replicate").clamp(0, 1)
    return Shots(photos, torch.ones(2, 1, 120, 130), "encoded", 0.0)


def test_a_better_image_gives_better_kernels():
    wrong = KERNELS.lerp(KERNELS.flip(-1), 0.4)
    fitted = fit_to_improved(shots(), wrong, lambda *_: SHARP)
    errors = [(found - KERNELS).square().sum((1, 2, 3)) for found in (fitted, wrong)]
    assert bool((errors[0] < 0.5 * errors[1]).all())
    torch.testing.assert_close(fitted.sum((1, 2, 3)), torch.ones(2))


def test_a_refiner_that_changes_nothing_changes_no_kernel():
    assert fit_to_improved(shots(), KERNELS, lambda *given: given[3]) is KERNELS
