import numpy as np
import pytest
import torch

from unblur.solvers.proximal import keep_strong, shrink

VALUES = torch.linspace(-1.2, 1.2, 97, dtype=torch.float64)
GRID = torch.linspace(-1.3, 1.3, 200_001, dtype=torch.float64)


def cost(w: torch.Tensor, values: torch.Tensor, threshold: float, power: float) -> torch.Tensor:
    return (w - values).square() / 2 + threshold * w.abs().pow(power)


@pytest.mark.parametrize("power", [1.0, 0.8, 0.5])
@pytest.mark.parametrize("threshold", [0.003, 0.05, 0.3])
def test_no_point_of_a_grid_costs_less(power, threshold):
    shrunk = shrink(VALUES, threshold, power)
    best = torch.stack([cost(GRID, value, threshold, power).min() for value in VALUES])
    np.testing.assert_array_less(cost(shrunk, VALUES, threshold, power), best + 1e-3 * threshold)


@pytest.mark.parametrize("power", [1.0, 0.8, 0.5])
@pytest.mark.parametrize("threshold", [0.003, 0.05, 0.3])
def test_is_near_the_best_point_of_a_grid(power, threshold):
    best = torch.stack([GRID[cost(GRID, value, threshold, power).argmin()] for value in VALUES])
    assert (shrink(VALUES, threshold, power) - best).abs().max() < threshold / 6 + 2e-5


@pytest.mark.parametrize("power", [1.0, 0.8, 0.5])
def test_shrinking_is_odd_and_never_lengthens(power):
    shrunk = shrink(VALUES, 0.1, power)
    torch.testing.assert_close(shrink(-VALUES, 0.1, power), -shrunk)
    assert (shrunk.abs() <= VALUES.abs()).all()
    assert (shrunk * VALUES >= 0).all()
    assert (shrunk[VALUES.abs() < 0.1] == 0).all()


@pytest.mark.parametrize("power", [1.0, 0.8])
def test_no_threshold_changes_nothing(power):
    torch.testing.assert_close(shrink(VALUES, 0.0, power), VALUES)


def test_keeping_strong_gradients_costs_least_of_keep_and_drop():
    """Each pixel pays its squared change, or the threshold if it is not zero."""
    right, down = torch.randn(2, 1, 1, 20, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    kept_right, kept_down = keep_strong(right, down, 0.7)
    paid = (kept_right - right).square() + (kept_down - down).square()
    paid += 0.7 * ((kept_right != 0) | (kept_down != 0))
    torch.testing.assert_close(paid, (right.square() + down.square()).clamp_max(0.7))


def test_each_image_has_its_own_threshold():
    right = torch.tensor([0.5, 0.5]).view(2, 1, 1, 1)
    kept, _ = keep_strong(right, torch.zeros_like(right), torch.tensor([0.2, 0.3]).view(2, 1, 1, 1))
    assert kept.flatten().tolist() == [0.5, 0.0]
