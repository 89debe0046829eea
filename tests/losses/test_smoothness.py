import pytest
import torch

from unblur.losses.smoothness import sparse_gradients, total_variation


def test_a_ramp():
    """Steps of 2 along rows and of 3 along columns."""
    ramp = 2.0 * torch.arange(5)[None, :] + 3.0 * torch.arange(4)[:, None]
    assert total_variation(ramp.expand(2, 1, 4, 5)).tolist() == [5.0, 5.0]


def test_sides_of_one_pixel_have_no_differences():
    assert total_variation(torch.tensor([1.0, 3.0]).view(1, 1, 1, 2)).tolist() == [2.0]
    assert total_variation(torch.ones(2, 1, 1, 1)).tolist() == [0.0, 0.0]


def test_a_constant():
    assert total_variation(torch.full((1, 2, 3, 4), 0.7)).item() == 0


def test_sparse_edges_pixel_by_pixel():
    image = torch.rand(1, 2, 4, 5, generator=torch.Generator().manual_seed(0))
    grey = torch.nn.functional.pad(image.sum(1), (1, 1, 1, 1), mode="replicate")[0]
    smooth, step = torch.tensor([1.0, 2.0, 1.0]), torch.tensor([-1.0, 0.0, 1.0])
    total = 0.0
    for row in range(4):
        for column in range(5):
            patch = grey[row : row + 3, column : column + 3]
            right, down = float(smooth @ patch @ step), float(step @ patch @ smooth)
            total += (right**2 + down**2 + 1e-6) ** 0.33
    assert sparse_gradients(image).item() == pytest.approx(total / 20, rel=1e-4)


def test_a_border_is_no_edge():
    assert sparse_gradients(torch.full((1, 3, 5, 6), 0.8)).item() == pytest.approx(1e-6**0.33, rel=1e-3)


def test_one_strong_edge_costs_less_than_many_weak_ones():
    strong = (torch.arange(100) >= 50).float().expand(1, 1, 100, 100)
    weak = (torch.arange(100.0) / 99).expand(1, 1, 100, 100)
    assert sparse_gradients(strong[..., 2:-2]) < sparse_gradients(weak[..., 2:-2])
