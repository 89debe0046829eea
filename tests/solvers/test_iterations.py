"""Iterations: loops of the caller, histories, and deconvolution under blur that varies."""

import pytest
import torch

from planted import draw_picture, plant, psnr
from unblur.blur.kernels import gaussian_kernel, linear_kernel
from unblur.solvers.descent import AcceleratedDescent, AdamDescent, HyperLaplacian, deconvolve_by_descent
from unblur.solvers.half_quadratic import AlternatingDirections, HalfQuadratic, deconvolve_sparse
from unblur.solvers.operators import MotionBlur, VaryingBlur
from unblur.solvers.plug_and_play import PlugAndPlay
from unblur.solvers.richardson_lucy import RichardsonLucy
from unblur.solvers.sparse_problem import pose_sparse

KERNEL = linear_kernel(7, 30)
SIZE = (64, 72)


def varying() -> VaryingBlur:
    share = torch.linspace(0, 1, SIZE[1]).expand(1, 1, *SIZE)
    basis = torch.cat([linear_kernel(7, 20, size=9), gaussian_kernel(1.2, size=9)])
    return VaryingBlur(basis, torch.cat([share, 1 - share], 1))


def motion() -> MotionBlur:
    """Motion to the right that grows from 2 to 8 pixels."""
    right = torch.linspace(2, 8, SIZE[1]).expand(1, 1, *SIZE)
    return MotionBlur(torch.cat([right, torch.zeros_like(right)], 1))


def test_the_caller_owns_the_loop():
    planted = plant(KERNEL, SIZE)
    problem = pose_sparse(planted.blurry, KERNEL, prior_strength=1.5e-4)
    start = HalfQuadratic(problem)
    while not start.done():
        start.update()
    iteration = AlternatingDirections(problem, start.latent_spectrum, 8, record=True)
    iteration.run()
    expected = deconvolve_sparse(planted.blurry, KERNEL, prior_strength=1.5e-4)
    assert torch.equal(problem.frame.crop(iteration.latent), expected)
    assert {len(series) for series in iteration.history.values()} == {8}
    assert iteration.history["objective"][-1] < iteration.history["objective"][0]
    assert start.history == {}


def test_plug_and_play_comes_nearer_to_the_photo():
    planted = plant(KERNEL, SIZE)
    iteration = PlugAndPlay(
        planted.blurry, KERNEL, planted.blurry, lambda image: image, steps=4, pull=0.05, record=True
    )
    iteration.run()
    residuals = iteration.history["residual"]
    assert residuals == sorted(residuals, reverse=True)


@pytest.mark.parametrize("operator", [varying(), motion()], ids=["varying", "motion"])
def test_blur_that_varies_is_removed(operator):
    sharp = draw_picture(*SIZE)
    blurry = operator.apply(sharp)
    before = psnr(blurry, sharp)
    descent = deconvolve_by_descent(
        blurry, operator, prior=HyperLaplacian(), prior_strength=1e-4, steps=30, record=True
    )
    assert psnr(descent.run(), sharp) > before + 3
    assert descent.history["objective"][-1] < descent.history["objective"][0] / 2
    lucy = RichardsonLucy.for_operator(blurry, operator, 20, record=True)
    assert psnr(lucy.run().clamp(0, 1), sharp) > before + 2
    assert lucy.history["objective"] == sorted(lucy.history["objective"], reverse=True)


def test_a_prior_of_ones_own():
    class Flat:
        def value(self, image):
            return (image - 0.5).square().sum()

    blurry = torch.full((1, 1, 16, 16), 0.9)
    answer = deconvolve_by_descent(blurry, varying_of(16), prior=Flat(), prior_strength=1.0, steps=60).run()
    # |x - 0.9|^2 / 2 + |x - 0.5|^2 is smallest at 1.9 / 3.
    assert torch.allclose(answer, torch.full_like(answer, 1.9 / 3), atol=1e-3)


def varying_of(side: int) -> VaryingBlur:
    return VaryingBlur(torch.ones(1, 1, 1, 1), torch.ones(1, 1, side, side))


def test_accelerated_descent_finds_the_nearest_allowed_point():
    wanted = torch.tensor([1.0, -2.0, 3.0])
    curvature = torch.tensor([1.0, 5.0, 0.5])
    found = AcceleratedDescent(
        lambda x: curvature * (x - wanted), lambda x: x.clamp_min(0), torch.zeros(3), 1 / 5, 200
    ).run()
    assert torch.allclose(found, torch.tensor([1.0, 0.0, 3.0]), atol=1e-4)


def test_adam_leaves_its_start_as_it_is():
    start = torch.zeros(4)
    descent = AdamDescent(lambda x: (x - 1).square().sum(), start, rate=0.1, steps=80, record=True)
    assert torch.allclose(descent.run(), torch.ones(4), atol=0.05)
    assert torch.equal(start, torch.zeros(4))
    assert descent.history["objective"][-1] < 0.02


def test_adam_steps_as_that_of_torch_does():
    start, curvature = torch.linspace(-1, 1, 9), torch.linspace(0.1, 3, 9)
    found = AdamDescent(lambda x: (curvature * x.square()).sum(), start, rate=0.05, steps=20).run()
    parameter = torch.nn.Parameter(start.clone())
    theirs = torch.optim.Adam([parameter], betas=(0.9, 0.99))
    for step in range(20):
        theirs.param_groups[0]["lr"] = 0.05 * (1 - 0.9 * step / 20)
        theirs.zero_grad()
        (curvature * parameter.square()).sum().backward()
        theirs.step()
    torch.testing.assert_close(found, parameter.detach())
