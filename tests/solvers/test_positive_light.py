"""Light that was clipped: lamps at night, and large bright areas."""

import pytest
import torch

from planted import Planted, draw_picture, plant, psnr, shake
from unblur.blur.convolve import convolve
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.solvers.half_quadratic import deconvolve_sparse
from unblur.solvers.photo import restore_with_kernel
from unblur.solvers.positive_light import PositiveLightDirections
from unblur.solvers.sparse_problem import pose_sparse

KERNEL = shake(15, 3, (15, 20))
_STRENGTH = 2e-4


def photograph_night(colour: tuple[float, ...] = (1.0,)) -> Planted:
    """A dim picture with lamps that are up to thirty times as bright as the sensor can hold; sRGB-encoded."""
    reach = KERNEL.shape[-1] // 2
    lamp = torch.tensor(colour).view(-1, 1, 1)
    light = 0.2 * srgb_to_linear(draw_picture(120 + 2 * reach, 130 + 2 * reach, 4)).repeat(1, len(colour), 1, 1)
    generator = torch.Generator().manual_seed(0)
    for _ in range(9):
        row, column = (int(torch.randint(12, side - 12, (), generator=generator)) for side in light.shape[-2:])
        light[..., row : row + 2, column : column + 2] += (8 + 22 * float(torch.rand((), generator=generator))) * lamp
    blurry = linear_to_srgb(convolve(light, KERNEL, "valid").clamp(0, 1))
    blurry = (blurry + 0.003 * torch.randn(blurry.shape, generator=generator)).clamp(0, 1)
    sharp = linear_to_srgb(light[..., reach:-reach, reach:-reach].clamp(0, 1))
    return Planted((blurry * 255).round() / 255, sharp, KERNEL)


@pytest.fixture(scope="module")
def night() -> Planted:
    return photograph_night()


def solve(night: Planted, saturation: float | None) -> torch.Tensor:
    light = srgb_to_linear(night.blurry)
    return deconvolve_sparse(light, KERNEL, prior_strength=_STRENGTH, saturation=saturation)


def gain(night: Planted, light: torch.Tensor) -> float:
    return psnr(linear_to_srgb(light.clamp(0, 1)), night.sharp) - night.psnr


def test_lamps_become_points_and_the_scene_does_not_ring(night):
    modelled, ignored = (gain(night, solve(night, saturation)) for saturation in (0.995, None))
    assert ignored < 0  # rings around every lamp
    assert modelled > 2
    restored = solve(night, 0.995)
    assert float(restored.min()) >= 0
    assert float(restored.max()) > 3  # a lamp is far brighter than what was recorded of it


def test_each_colour_is_clipped_by_itself():
    """Orange lamps: red is clipped where blue is not, and brightness hardly anywhere."""
    orange = photograph_night((1.0, 0.3, 0.05))
    restored = restore_with_kernel(orange.blurry, KERNEL, encoding="linear", jpeg_coarseness=0)
    assert psnr(restored, orange.sharp) > orange.psnr + 1.5


def test_a_quick_answer_is_near_the_careful_one(night):
    quick, careful = (
        gain(
            night,
            srgb_to_linear(
                restore_with_kernel(night.blurry, KERNEL, encoding="linear", jpeg_coarseness=0, quick=quick)
            ),
        )
        for quick in (True, False)
    )
    assert careful > quick > 1


@pytest.mark.parametrize("light", ["encoded", "linear"])
def test_large_clipped_areas_are_filled_in(light):
    planted = plant(KERNEL, (150, 150), brightness=1.5, light=light)
    assert (planted.blurry >= 0.995).float().mean() > 0.2
    restored = restore_with_kernel(planted.blurry, KERNEL, encoding=light)
    assert psnr(restored.clamp(0, 1), planted.sharp) > planted.psnr + 2


def test_the_objective_falls_and_nothing_is_negative(night):
    problem = pose_sparse(srgb_to_linear(night.blurry), KERNEL, prior_strength=_STRENGTH, saturation=0.995)
    iteration = PositiveLightDirections(problem, record=True)
    answer = iteration.run()
    assert float(answer.min()) >= 0
    history = iteration.history["objective"]
    assert history[-1] < 0.1 * history[0]
    assert len(history) == iteration.steps


def test_two_photos_of_one_scene_with_clipped_light(night):
    """Each with its kernel: together they give more than the first alone."""
    light = srgb_to_linear(night.blurry)
    both = torch.cat([light, light.flip(-1)], 1)
    kernels = torch.cat([KERNEL, KERNEL.flip(-1)], 1)
    one = deconvolve_sparse(both, kernels, prior_strength=_STRENGTH, saturation=0.995)
    assert one.shape == (1, 1, *light.shape[-2:])
    assert torch.isfinite(one).all()


def test_where_only_part_of_a_batch_is_clipped_the_rest_has_its_data(night):
    dim = 0.5 * srgb_to_linear(night.blurry)
    problem = pose_sparse(torch.cat([2 * dim, dim]), KERNEL, prior_strength=_STRENGTH, saturation=0.995)
    assert problem.data.saturated is not None
    assert float(problem.data.saturated[0].sum()) > 0
    assert float(problem.data.saturated[1].sum()) == 0


def test_light_is_nowhere_negative_where_it_is_asked_for():
    planted = plant(KERNEL, noise=0.0)
    free, positive = (
        deconvolve_sparse(planted.blurry, KERNEL, prior_strength=1e-4, positive=wanted) for wanted in (False, True)
    )
    assert float(free.min()) < 0
    assert float(positive.min()) >= 0
    assert psnr(positive, planted.sharp) > planted.psnr + 8
