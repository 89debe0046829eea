import pytest
import torch
from torch import Tensor

from unblur.backbones.local_mean import LocalMean


def local_mean(features: Tensor, window: int | None) -> Tensor:
    module = LocalMean()
    module.window = window
    return module(features)


@pytest.fixture
def features() -> Tensor:
    return torch.rand(2, 3, 9, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("window", [None, 9, 20])
def test_a_window_that_covers_the_image(features, window):
    means = local_mean(features, window)
    assert means.shape == (2, 3, 1, 1)
    assert torch.allclose(means[..., 0, 0], features.mean((2, 3)))


@pytest.mark.parametrize("window", [1, 2, 3, 5, 8])
def test_each_pixel_has_the_mean_of_the_nearest_window(features, window):
    means = local_mean(features, window)
    rows, columns = min(window, 9), min(window, 6)
    for row in range(9):
        top = min(max(row - (rows - 1) // 2, 0), 9 - rows)
        for column in range(6):
            left = min(max(column - (columns - 1) // 2, 0), 6 - columns)
            expected = features[..., top : top + rows, left : left + columns].mean((2, 3))
            assert torch.allclose(means[..., row, column], expected)


def test_sums_of_half_precision_are_made_in_single_precision():
    features = torch.full((1, 1, 400, 3), 0.3, dtype=torch.bfloat16)
    assert torch.allclose(local_mean(features, 2), torch.tensor(features[0, 0, 0, 0].item()), atol=1e-5)
