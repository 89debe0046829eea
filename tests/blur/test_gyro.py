import math

import pytest
import torch

from unblur.blur.gyro import trajectory_from_rotation
from unblur.errors import KernelError


def test_a_steady_turn_draws_a_straight_line_of_angle_times_focal_length():
    times = torch.linspace(0, 1, 101, dtype=torch.float64)
    rates = torch.tensor([0.2, -0.1], dtype=torch.float64).expand(101, 2)
    path = trajectory_from_rotation(rates, times, start=0.25, exposure=0.5, focal_length=1000)
    torch.testing.assert_close(path[-1] - path[0], torch.tensor([100.0, -50.0]), rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(path.mean(0), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(path.diff(dim=0), (path[-1] - path[0]).expand(511, 2) / 511, rtol=1e-3, atol=1e-4)


def test_the_angle_is_the_integral_of_the_rate():
    times = torch.linspace(0, 1, 2001, dtype=torch.float64)
    rates = torch.stack([torch.cos(2 * math.pi * times), torch.zeros_like(times)], -1)
    path = trajectory_from_rotation(rates, times, start=0.1, exposure=0.37, focal_length=100, steps=50)
    moments = 0.1 + 0.37 * torch.linspace(0, 1, 50, dtype=torch.float64)
    expected = 100 * torch.sin(2 * math.pi * moments) / (2 * math.pi)
    torch.testing.assert_close(path[:, 0].double(), expected - expected.mean(), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("start", "exposure"), [(-0.1, 0.2), (0.9, 0.2), (0.2, 0.0)])
def test_an_exposure_outside_the_recording_is_refused(start, exposure):
    times = torch.linspace(0, 1, 11)
    with pytest.raises(KernelError, match="not in the recording"):
        trajectory_from_rotation(torch.zeros(11, 2), times, start=start, exposure=exposure, focal_length=1)
