"""The prior of gradients, of images by themselves and of three colours together."""

import pytest
import torch

from planted import plant, psnr
from unblur.blur.kernels import linear_kernel
from unblur.images.tensors import srgb_to_linear
from unblur.solvers.half_quadratic import deconvolve_sparse
from unblur.solvers.photo import restore_with_kernel
from unblur.solvers.proximal import shrink
from unblur.solvers.sparse_gradients import SparseGradients, to_opponents

KERNEL = linear_kernel(9, 30)
THREE = SparseGradients((0.02, 0.03, 0.05), 0.8)


def gradients_of(seed: int = 0) -> torch.Tensor:
    return 0.3 * torch.randn(3, 1, 6, 7, generator=torch.Generator().manual_seed(seed))


def test_opponents_are_a_rotation():
    colours = gradients_of()
    rotated = to_opponents(colours)
    assert float(rotated.norm()) == pytest.approx(float(colours.norm()), rel=1e-5)
    torch.testing.assert_close(rotated[0], colours.mean(0) * 3**0.5)
    grey = to_opponents(colours[:1].expand(3, -1, -1, -1))
    assert float(grey[1:].abs().max()) < 1e-6


def test_one_strength_is_for_images_by_themselves():
    values = gradients_of()
    prior = SparseGradients((0.02,), 0.8)
    torch.testing.assert_close(prior.proximal_map(0.5)(values), shrink(values, 0.04, 0.8))
    assert float(prior.value(values)) == pytest.approx(0.02 * float(values.abs().pow(0.8).sum()), rel=1e-5)


def test_the_proximal_map_of_three_colours_is_a_minimum():
    values, penalty = gradients_of(), 0.4
    best = THREE.proximal_map(penalty)(values)

    def objective(candidate: torch.Tensor) -> float:
        return float(THREE.value(candidate) + penalty / 2 * (candidate - values).square().sum())

    for seed in range(1, 20):
        for size in (0.001, 0.05, 1.0):
            assert objective(best) <= objective(best + size * gradients_of(seed)) + 1e-5


def test_three_colours_of_a_grey_image_weigh_as_the_image():
    grey = gradients_of()[:1]
    three = THREE.value(grey.expand(3, -1, -1, -1))
    # Three times, as its misfit counts three times.
    assert float(three) == pytest.approx(3 * 0.02 * float(grey.abs().pow(0.8).sum()), rel=1e-4)


def test_colours_together_are_cleaner_than_one_by_one():
    """Edges of brightness with noise in each colour."""
    grey = plant(KERNEL, (90, 110), noise=0.0)
    noise = 0.02 * torch.randn(1, 3, 90, 110, generator=torch.Generator().manual_seed(0))
    photo = (grey.blurry + noise).clamp(0, 1)
    together = restore_with_kernel(photo, KERNEL, encoding="encoded")
    alone = torch.cat([restore_with_kernel(one, KERNEL, encoding="encoded") for one in photo.split(1, 1)], 1)
    sharp = grey.sharp.expand(-1, 3, -1, -1)
    assert psnr(together, sharp) > psnr(alone, sharp) + 1


def test_clipped_light_of_each_colour_is_found_together():
    """A red lamp, clipped in red alone: green and blue say nothing of how bright it is."""
    night = plant(KERNEL, (70, 80), light="linear", brightness=1.6, noise=0.002)
    tint = torch.tensor([1.0, 0.5, 0.4]).view(1, 3, 1, 1)
    photo = srgb_to_linear(night.blurry) * tint
    saturation = 0.995
    strengths = (3e-4, 6e-4, 6e-4)
    found = deconvolve_sparse(photo.transpose(0, 1), KERNEL, prior_strength=strengths, saturation=saturation)
    without = deconvolve_sparse(photo.transpose(0, 1), KERNEL, prior_strength=strengths)
    true = srgb_to_linear(night.sharp) * tint
    clipped = (photo[:, :1] >= saturation).expand(-1, 3, -1, -1)
    assert bool(clipped.any())
    away = ~clipped
    errors = [float((image.transpose(0, 1) - true)[away].square().mean()) for image in (found, without)]
    assert errors[0] < errors[1]
