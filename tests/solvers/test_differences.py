import numpy as np
import pytest
import torch

from unblur.solvers.differences import difference_power, differences, differences_adjoint

SIZES = [(1, 1), (1, 6), (5, 1), (2, 2), (7, 8), (6, 9)]


def uniform(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 0.5


@pytest.mark.parametrize("size", SIZES)
def test_equal_rolled_differences(size):
    image = uniform(2, 3, *size)
    right, down = differences(image)
    np.testing.assert_array_equal(right, np.roll(image.numpy(), -1, 3) - image.numpy())
    np.testing.assert_array_equal(down, np.roll(image.numpy(), -1, 2) - image.numpy())


@pytest.mark.parametrize("size", SIZES)
def test_adjoint(size):
    image, right, down = (uniform(2, 3, *size, seed=seed) for seed in range(3))
    there = differences(image)
    forth = (there[0] * right).sum() + (there[1] * down).sum()
    torch.testing.assert_close((image * differences_adjoint(right, down)).sum(), forth)


@pytest.mark.parametrize("size", SIZES)
def test_power_is_that_of_the_impulse_response(size):
    impulse = torch.zeros(1, 1, *size, dtype=torch.float64)
    impulse[..., 0, 0] = 1
    right, down = differences(impulse)
    expected = torch.fft.rfft2(right).abs().square() + torch.fft.rfft2(down).abs().square()
    torch.testing.assert_close(difference_power(size, impulse), expected[0, 0])
