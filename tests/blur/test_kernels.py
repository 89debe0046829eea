import math

import pytest
import torch

from unblur.blur.kernels import (
    centre_kernel,
    check_kernel,
    disk_kernel,
    gaussian_kernel,
    kernel_from_trajectory,
    linear_kernel,
)
from unblur.errors import KernelError


def moments(kernel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean (right, down) from the centre, and covariance."""
    side = kernel.shape[-1]
    axis = torch.arange(side, dtype=torch.float64) - side // 2
    down, right = torch.meshgrid(axis, axis, indexing="ij")
    points, mass = torch.stack([right, down], -1).reshape(-1, 2), kernel.double().reshape(-1)
    mean = mass @ points
    centred = points - mean
    return mean, centred.T @ (centred * mass[:, None])


KERNELS = [
    linear_kernel(1, 0),
    linear_kernel(13.25, 160, offset=(0.4, -0.5)),
    linear_kernel(8, 45, size=31),
    disk_kernel(0),
    disk_kernel(4.3),
    disk_kernel(2, size=15),
    gaussian_kernel(0.3),
    gaussian_kernel(3, 1, 30),
    gaussian_kernel(2, size=9),
    kernel_from_trajectory(torch.tensor([[0.0, 0.0], [1.5, -0.25]]), 7),
]


@pytest.mark.parametrize("kernel", KERNELS)
def test_convention_kernels_are_odd_non_negative_and_sum_to_one(kernel):
    check_kernel(kernel)
    assert kernel.shape[:2] == (1, 1)
    assert kernel.dtype == torch.float32
    assert kernel.sum().item() == pytest.approx(1, abs=1e-6)


def test_convention_the_smallest_blurs_are_impulses_at_the_centre():
    for kernel in (linear_kernel(1, 70), disk_kernel(0), linear_kernel(1, 0, size=5), disk_kernel(0.3, size=5)):
        side = kernel.shape[-1]
        assert kernel[0, 0, side // 2, side // 2] == 1


@pytest.mark.parametrize("angle", [0.0, 30.0, 69.0, 90.0, 112.5, 160.0])
def test_convention_angles_turn_counter_clockwise_from_the_right(angle):
    _, covariance = moments(linear_kernel(15, angle))
    values, vectors = torch.linalg.eigh(covariance)
    right, down = vectors[:, -1].tolist()
    assert math.degrees(math.atan2(-down, right)) % 180 == pytest.approx(angle, abs=1.5) or angle == 0
    assert values[-1] > 5 * values[0]


def test_convention_offset_and_points_are_right_and_down():
    mean, _ = moments(linear_kernel(9, 20, offset=(0.5, -0.3)))
    assert mean.tolist() == pytest.approx([0.5, -0.3], abs=0.06)
    kernel = kernel_from_trajectory(torch.tensor([[2.0, 1.0]]), 7)
    assert kernel[0, 0, 3 + 1, 3 + 2] == 1


def test_a_horizontal_line_is_what_the_definition_gives():
    expected = torch.tensor([1.0, 1, 1, 1, 1]) / 5
    torch.testing.assert_close(linear_kernel(5, 0, size=5)[0, 0, 2], expected)
    torch.testing.assert_close(linear_kernel(5, 180, size=5), linear_kernel(5, 0, size=5), atol=1e-6, rtol=0)


def test_a_disk_has_its_radius():
    radius = 6.5
    _, covariance = moments(disk_kernel(radius))  # a uniform disk has variance r^2 / 4 in each direction
    assert covariance[0, 0].item() == pytest.approx(radius**2 / 4, rel=0.02)


def test_a_gaussian_has_its_covariance():
    _, covariance = moments(gaussian_kernel(3.0, 1.5, 90))
    torch.testing.assert_close(covariance, torch.diag(torch.tensor([2.25, 9.0])).double(), rtol=0.03, atol=1e-4)


def test_a_trajectory_keeps_its_mean_and_spread():
    points = torch.rand(400, 2, generator=torch.Generator().manual_seed(0)) * 8 - 4
    mean, _ = moments(kernel_from_trajectory(points, 11))
    torch.testing.assert_close(mean, points.double().mean(0), atol=1e-5, rtol=0)


def test_a_point_on_the_last_pixel_is_inside():
    assert kernel_from_trajectory(torch.tensor([[3.0, 3.0]]), 7)[0, 0, 6, 6] == 1


def test_centring_undoes_a_shift_and_keeps_size_and_sum():
    kernel = linear_kernel(7, 30, size=21)
    moved = 0.8 * torch.roll(kernel, (5, -3), dims=(-2, -1))
    torch.testing.assert_close(centre_kernel(moved), 0.8 * kernel)
    torch.testing.assert_close(centre_kernel(kernel), kernel)


def test_centring_a_kernel_that_leaves_the_frame_keeps_the_sum():
    kernel = torch.zeros(1, 1, 7, 7)
    kernel[..., 0, :] = 1
    kernel[..., 6, 0] = 6
    assert centre_kernel(kernel).sum().item() == pytest.approx(13)


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (torch.zeros(1, 1, 3, 3), "zero everywhere"),
        (torch.tensor([[[[0.5, 1.0, -0.5]]]]), "negative"),
        (torch.full((1, 1, 1, 3), math.nan), "not finite"),
        (torch.full((1, 1, 2, 2), 0.25), "odd sizes"),
        (torch.full((1, 1, 1, 1), 2.0), "sums to 2"),
        (torch.ones(1, 1), "four axes"),
    ],
)
def test_a_kernel_that_cannot_be_used_is_refused(kernel, message):
    with pytest.raises(KernelError, match=message):
        check_kernel(kernel)


def test_a_kernel_larger_than_the_image_is_refused():
    check_kernel(linear_kernel(5, 0, size=9), (9, 9))
    with pytest.raises(KernelError, match=r"9x9 pixels.*larger than the image \(20x8\)"):
        check_kernel(linear_kernel(5, 0, size=9), (8, 20))


@pytest.mark.parametrize(
    "make",
    [
        lambda: linear_kernel(0.5, 0),
        lambda: linear_kernel(9, 0, size=7),
        lambda: linear_kernel(3, 0, size=8),
        lambda: disk_kernel(-1),
        lambda: disk_kernel(5, size=9),
        lambda: gaussian_kernel(0),
        lambda: gaussian_kernel(1, size=4),
        lambda: kernel_from_trajectory(torch.zeros(0, 2), 5),
        lambda: kernel_from_trajectory(torch.tensor([[3.0, 0.0]]), 5),
        lambda: kernel_from_trajectory(torch.tensor([[math.nan, 0.0]]), 5),
    ],
)
def test_impossible_blurs_are_refused(make):
    with pytest.raises(KernelError):
        make()
