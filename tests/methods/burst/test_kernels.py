"""Kernels of several photos and their one image: each alone is known from the other."""

import torch

from planted import draw_picture, psnr, shake
from unblur.blur.convolve import convolve
from unblur.blur.kernels import fit_box
from unblur.methods.burst.kernels import estimate_latent, fit_burst_kernels, fit_each_kernel
from unblur.metrics.kernel import kernel_similarity_upto_shift

SIZE = 19
SHARP = draw_picture(130, 140, seed=3)
KERNELS = torch.cat([fit_box(shake(side, seed), SIZE) for seed, side in enumerate((9, 13, 15))])
PHOTOS = torch.cat([convolve(SHARP, one, "replicate") for one in KERNELS.split(1)])


def similarities(kernels: torch.Tensor) -> list[float]:
    pairs = zip(kernels.split(1), KERNELS.split(1), strict=True)
    return [float(kernel_similarity_upto_shift(found, true)) for found, true in pairs]


def test_kernels_of_a_known_image():
    start = torch.full_like(KERNELS, 1 / SIZE**2)
    assert min(similarities(fit_each_kernel(PHOTOS, SHARP, start, 0.05))) > 0.9


def test_an_image_of_known_kernels_is_better_than_from_one_photo():
    together = estimate_latent(PHOTOS, KERNELS, 0.002)
    alone = [estimate_latent(PHOTOS[n : n + 1], KERNELS[n : n + 1], 0.002) for n in range(3)]
    assert psnr(together, SHARP, 15) > max(psnr(one, SHARP, 15) for one in alone) + 1


def test_from_the_answer_to_one_photo_to_all_kernels():
    shares: list[float] = []
    latent = estimate_latent(PHOTOS[:1], KERNELS[:1], 0.002)
    found = fit_burst_kernels(PHOTOS, latent, KERNELS[:1].expand(3, -1, -1, -1), shares.append)
    assert min(similarities(found)) > 0.85
    assert torch.allclose(found.sum((-2, -1)), torch.ones(3, 1), atol=1e-4)
    assert shares == sorted(shares)
    assert shares[-1] == 1
