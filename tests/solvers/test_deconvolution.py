"""What all solvers promise: see also the file of each."""

from functools import partial

import pytest
import torch

from planted import Planted, draw_picture, plant, psnr, shake
from unblur.solvers.half_quadratic import deconvolve_sparse
from unblur.solvers.richardson_lucy import deconvolve_richardson_lucy
from unblur.solvers.wiener import deconvolve_wiener

SOLVERS = {
    "hyper-laplacian": partial(deconvolve_sparse, prior_strength=1.5e-4),
    "tv": partial(deconvolve_sparse, prior_strength=1.5e-4, exponent=1.0),
    "half-quadratic start alone": partial(deconvolve_sparse, prior_strength=1.5e-4, steps=0),
    "wiener": partial(deconvolve_wiener, prior_strength=2.5e-3),
    "richardson-lucy": partial(deconvolve_richardson_lucy, steps=30),
}
KERNEL = shake(15, 3, (15, 20))


@pytest.fixture(scope="module")
def planted() -> Planted:
    return plant(KERNEL)


@pytest.fixture(params=SOLVERS)
def solve(request):
    return SOLVERS[request.param]


def identity(side: int) -> torch.Tensor:
    kernel = torch.zeros(1, 1, side, side)
    kernel[..., side // 2, side // 2] = 1
    return kernel


@pytest.mark.parametrize("side", [1, 5])
def test_without_blur_the_photo_comes_back(solve, side):
    """But for what the prior takes: at least 36 dB on a picture full of sharp edges."""
    photo = draw_picture(48, 65)
    assert psnr(solve(photo, identity(side)), photo) > 36


@pytest.mark.parametrize(
    ("name", "gain"),
    [("hyper-laplacian", 9), ("tv", 8), ("half-quadratic start alone", 4), ("wiener", 4), ("richardson-lucy", 4)],
)
def test_a_planted_blur_is_removed(planted, name, gain):
    restored = SOLVERS[name](planted.blurry, KERNEL)
    assert psnr(restored, planted.sharp) > planted.psnr + gain


@pytest.mark.parametrize("name", ["hyper-laplacian", "tv", "richardson-lucy"])
def test_borders_do_not_ring(planted, name):
    """The error near the border, where less is known, is that of the middle within a factor of three."""
    error = (SOLVERS[name](planted.blurry, KERNEL) - planted.sharp).square()
    middle = error[..., 15:-15, 15:-15].mean()
    border = (error.sum() - error[..., 8:-8, 8:-8].sum()) / (error.numel() - error[..., 8:-8, 8:-8].numel())
    assert border.sqrt() < 3 * middle.sqrt()


@pytest.mark.parametrize("name", ["hyper-laplacian", "tv", "richardson-lucy"])
def test_clipped_lights_are_told_from_bright_ones(name):
    clipped = plant(KERNEL, brightness=1.3)
    assert (clipped.blurry == 1).float().mean() > 0.1
    told, ignored = (
        psnr(SOLVERS[name](clipped.blurry, KERNEL, saturation=saturation).clamp(0, 1), clipped.sharp)
        for saturation in (0.995, None)
    )
    assert told > ignored + 0.5
    assert told > clipped.psnr + 3


def test_where_nothing_is_clipped_looking_out_for_it_changes_nothing():
    dim = plant(KERNEL, brightness=0.9)
    for name in ("hyper-laplacian", "richardson-lucy"):
        answers = [SOLVERS[name](dim.blurry, KERNEL, saturation=saturation) for saturation in (0.995, None)]
        assert torch.equal(*answers)


def test_a_batch_is_as_each_alone(solve):
    photos = torch.cat([plant(KERNEL, (30, 41), seed=seed).blurry for seed in range(2)])
    together = solve(photos, KERNEL)
    for i in range(2):
        torch.testing.assert_close(together[i : i + 1], solve(photos[i : i + 1], KERNEL), atol=2e-5, rtol=0)


def test_double_precision_gives_the_same_picture(solve):
    photo = plant(KERNEL, (30, 41)).blurry
    answer = solve(photo.double(), KERNEL.double())
    assert answer.dtype == torch.float64
    torch.testing.assert_close(answer.float(), solve(photo, KERNEL), atol=1e-3, rtol=0)


@pytest.mark.parametrize("size", [(1, 1), (1, 8), (3, 2)])
def test_photos_smaller_than_the_kernel(solve, size):
    photo = torch.full((1, 1, *size), 0.4)
    torch.testing.assert_close(solve(photo, KERNEL), photo, atol=1e-3, rtol=0)


def test_a_stronger_prior_is_smoother(planted):
    def roughness(prior_strength: float, **others: float) -> float:
        restored = deconvolve_sparse(planted.blurry, KERNEL, prior_strength=prior_strength, **others)
        return float(restored.diff(dim=-1).abs().mean() + restored.diff(dim=-2).abs().mean())

    assert roughness(1e-3) < roughness(3e-4) < roughness(1e-4)


def test_total_variation_finds_the_least_cost():
    """With the photo's border known (kernel of one pixel) the cost is plain: no small change lowers it."""
    photo = plant(KERNEL, (16, 20), noise=0.05).blurry.double()
    one = torch.ones(1, 1, 1, 1, dtype=torch.float64)

    def cost(image: torch.Tensor) -> float:
        rough = (image - image.roll(1, -1)).abs().sum() + (image - image.roll(1, -2)).abs().sum()
        return float((image - photo).square().sum() / 2 + 0.02 * rough)

    best = deconvolve_sparse(photo, one, prior_strength=0.02, exponent=1.0, steps=3000)
    generator = torch.Generator().manual_seed(0)
    for size in (1e-3, 1e-2):
        for _ in range(20):
            change = torch.randn(photo.shape, generator=generator, dtype=torch.float64)
            assert cost(best + size * change) > cost(best)
    assert cost(best) < min(cost(photo), cost(photo.mean().expand_as(photo)))
