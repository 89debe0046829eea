import math

import pytest
import torch

from planted import psnr, shake
from unblur.blur.convolve import convolve
from unblur.blur.dynamic import expose
from unblur.blur.kernels import gaussian_kernel
from unblur.blur.poses import Place, PoseBlur, PoseKernels

PLACES = [Place(0.0, 0.0), Place(60.0, -20.0), Place(-45.5, 30.0)]
ANGLES = torch.tensor([-0.06, -0.03, 0.0, 0.03, 0.06], dtype=torch.float64)


def light(seed: int, side: int = 7) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    values = torch.rand(len(ANGLES), 1, side, side, generator=generator, dtype=torch.float64)
    return values / values.sum()


def test_the_adjoint_is_the_adjoint():
    kernels = PoseKernels(PLACES, ANGLES, 7)
    generator = torch.Generator().manual_seed(1)
    other = torch.rand(3, 1, kernels.box, kernels.box, generator=generator, dtype=torch.float64)
    shifts = light(2)
    torch.testing.assert_close((kernels.kernels(shifts) * other).sum(), (shifts * kernels.adjoint(other)).sum())


def test_no_slope_is_steeper_than_the_curvature_says():
    kernels = PoseKernels(PLACES, ANGLES, 5)
    size = kernels.moves.shape[-2]
    own = shake(5, 3).double()
    operator = torch.stack([torch.fft.rfft2(one, s=(size, size)).abs().square() for one in (own, 2 * own, own)])[:, 0]
    way = light(4, 5)
    slope = kernels.adjoint(kernels.correlate(operator, way))
    assert float(slope.norm() / way.norm()) <= kernels.curvature(operator) * (1 + 1e-6)


def test_every_place_has_a_kernel_of_sum_one_and_the_middle_that_of_the_shifts():
    blur = PoseBlur(light(5), ANGLES)
    for place in PLACES:
        kernel = blur.kernel_at(place)
        assert float(kernel.sum()) == pytest.approx(1)
        assert float(kernel.min()) >= 0
    torch.testing.assert_close(
        PoseKernels(PLACES[:1], ANGLES, 7).kernels(blur.shifts), blur.shifts.sum(0, keepdim=True)
    )


def test_kernels_are_those_of_a_scene_that_was_shifted_and_turned():
    turn = torch.linspace(-0.05, 0.05, 21, dtype=torch.float64)
    path = torch.stack([40 * turn, -20 * turn, turn], 1)
    side = 5
    shifts = torch.zeros(len(turn), 1, side, side, dtype=torch.float64)
    for number, (right, down, _) in enumerate(path.tolist()):
        for x, of_x in ((math.floor(right), 1 - right % 1), (math.floor(right) + 1, right % 1)):
            for y, of_y in ((math.floor(down), 1 - down % 1), (math.floor(down) + 1, down % 1)):
                if of_x * of_y > 0:
                    shifts[number, 0, side // 2 + y, side // 2 + x] += of_x * of_y / len(turn)
    blur = PoseBlur(shifts, turn)
    drawn = torch.rand(1, 1, 161, 201, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    scene = 3 * (convolve(drawn, gaussian_kernel(2.0).double(), "replicate") - 0.5) + 0.5
    seen = expose(scene, torch.zeros(0, 161, 201, dtype=torch.bool), path[None]).blurry
    for place in (Place(0.0, 0.0), Place(50.0, 0.0), Place(-40.0, 35.0)):
        top, left = 80 + int(place.down) - 8, 100 + int(place.right) - 8
        near = (..., slice(top, top + 17), slice(left, left + 17))
        made, same = (convolve(scene, blur.kernel_at(one), "replicate") for one in (place, PLACES[0]))
        assert psnr(made[near], seen[near]) > 42
        assert place == PLACES[0] or psnr(same[near], seen[near]) < 34


def test_centred_blur_has_its_mean_turn_and_shift_at_zero():
    shifts = light(6) * torch.tensor([1.0, 2, 3, 8, 1], dtype=torch.float64).view(-1, 1, 1, 1)
    off = PoseBlur(torch.roll(shifts / shifts.sum(), (1, 0), (-2, -1)), ANGLES + 0.01)
    centred = off.centred()
    of_turns = centred.shifts.sum((1, 2, 3))
    assert float((of_turns * centred.angles).sum()) == pytest.approx(0, abs=1e-9)
    steps = torch.arange(7) - 3
    assert abs(float((centred.shifts.sum((0, 1, 3)) * steps).sum())) <= 0.5
    assert centred.turn == pytest.approx(off.turn)


def test_the_turn_of_a_steady_turn_is_its_range():
    angles = torch.linspace(-0.1, 0.1, 201)
    blur = PoseBlur(torch.full((201, 1, 3, 3), 1 / 201 / 9), angles)
    assert blur.turn == pytest.approx(0.2, rel=0.01)


def test_light_is_shared_among_turns_that_lie_closer_together():
    shifts = torch.rand(3, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    coarse = PoseBlur(shifts / shifts.sum(), torch.tensor([-0.04, 0.0, 0.04]))
    fine = coarse.spread_over(torch.linspace(-0.06, 0.06, 7))
    torch.testing.assert_close(fine.shifts.sum(), torch.tensor(1.0))
    torch.testing.assert_close(fine.shifts.sum(0), coarse.shifts.sum(0))
    torch.testing.assert_close(fine.shifts[3], 0.5 * coarse.shifts[1])
    torch.testing.assert_close(fine.shifts[2], 0.25 * (coarse.shifts[0] + coarse.shifts[1]))


def test_a_still_camera_stays_still_among_more_turns():
    still = PoseBlur(torch.full((1, 1, 3, 3), 1 / 9), torch.zeros(1))
    spread = still.spread_over(torch.tensor([-0.1, 0.0, 0.1]))
    assert spread.shifts[[0, 2]].abs().max() == 0
    torch.testing.assert_close(spread.shifts[1], still.shifts[0])


def test_light_beyond_the_last_turn_goes_to_the_last():
    blur = PoseBlur(torch.full((3, 1, 3, 3), 1 / 27), torch.tensor([-0.2, 0.0, 0.2]))
    spread = blur.spread_over(torch.tensor([-0.1, 0.0, 0.1]))
    torch.testing.assert_close(spread.shifts.sum(), torch.tensor(1.0))
    assert spread.shifts[0].sum() > 0.3
