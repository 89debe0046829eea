import torch

from unblur.losses.smoothness import total_variation


def test_a_ramp():
    """Steps of 2 along rows and of 3 along columns."""
    ramp = 2.0 * torch.arange(5)[None, :] + 3.0 * torch.arange(4)[:, None]
    assert total_variation(ramp.expand(2, 1, 4, 5)).tolist() == [5.0, 5.0]


def test_a_constant():
    assert total_variation(torch.full((1, 2, 3, 4), 0.7)).item() == 0
