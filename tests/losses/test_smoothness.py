import pytest
import torch

from unblur.losses.smoothness import sparse_edges, total_variation


def test_a_ramp():
    """Steps of 2 along rows and of 3 along columns."""
    ramp = 2.0 * torch.arange(5)[None, :] + 3.0 * torch.arange(4)[:, None]
    assert total_variation(ramp.expand(2, 1, 4, 5)).tolist() == [5.0, 5.0]


def test_a_constant():
    assert total_variation(torch.full((1, 2, 3, 4), 0.7)).item() == 0


def test_sparse_edges_of_a_ramp():
    """Away from the border, Sobel sees 8 times a slope in each of the channels."""
    ramp = (0.01 * torch.arange(200.0)).expand(1, 3, 200, 200)
    inner = (3 * 8 * 0.01) ** 0.66
    assert sparse_edges(ramp).item() == pytest.approx(inner, rel=0.1)


def test_one_strong_edge_costs_less_than_many_weak_ones():
    strong = (torch.arange(100) >= 50).float().expand(1, 1, 100, 100)
    weak = (torch.arange(100.0) / 99).expand(1, 1, 100, 100)
    assert sparse_edges(strong[..., 2:-2]) < sparse_edges(weak[..., 2:-2])
