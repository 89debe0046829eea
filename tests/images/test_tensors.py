"""Tensors, linear light and turns."""

import numpy as np
import pytest
import torch

import hostile
from unblur.errors import ShapeError
from unblur.images.tensors import (
    array_to_tensor,
    linear_to_srgb,
    srgb_to_linear,
    tensor_to_array,
    turned,
)


def test_convention_images_are_batch_channel_row_column() -> None:
    array = hostile.photo(5, 7, 3, "float32")
    tensor = array_to_tensor(array)
    assert tensor.shape == (1, 3, 5, 7)
    assert tensor[0, 2, 4, 6] == array[4, 6, 2]
    np.testing.assert_array_equal(tensor_to_array(tensor), array)


def test_tensor_and_array_share_no_memory() -> None:
    array = np.zeros((2, 2, 1), np.float32)
    tensor = array_to_tensor(array)
    tensor += 1
    assert not array.any()
    tensor_to_array(tensor)[...] = 5
    assert (tensor == 1).all()


@pytest.mark.usefixtures("wrong_shapes")
def test_wrong_dimensions_are_refused() -> None:
    with pytest.raises(ShapeError):
        array_to_tensor(np.zeros((4, 4), np.float32))
    with pytest.raises(ShapeError):
        tensor_to_array(torch.zeros(2, 3, 4, 4))


def test_convention_srgb_curve() -> None:
    """Values of IEC 61966-2-1, to the digits in which it is usually printed."""
    encoded = torch.tensor([0.0, 0.04045, 0.5, 1.0], dtype=torch.float64)
    expected = torch.tensor([0.0, 0.0031308, 0.2140411, 1.0], dtype=torch.float64)
    torch.testing.assert_close(srgb_to_linear(encoded), expected, atol=1e-7, rtol=0)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6), (torch.float16, 2e-3)])
def test_linear_light_and_back(dtype: torch.dtype, tolerance: float) -> None:
    encoded = torch.linspace(-0.5, 1.5, 10_001).to(dtype)
    linear = srgb_to_linear(encoded)
    assert linear.dtype == dtype
    torch.testing.assert_close(linear_to_srgb(linear), encoded, atol=tolerance, rtol=tolerance)
    assert (linear.diff() >= 0).all()


def test_linear_light_is_differentiable_everywhere() -> None:
    for function in (srgb_to_linear, linear_to_srgb):
        values = torch.tensor([-0.2, 0.0, 1e-9, 0.001, 0.02, 0.3, 1.0], dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(function, values)
        (gradient,) = torch.autograd.grad(function(values).sum(), values)
        assert torch.isfinite(gradient).all()
        assert (gradient > 0).all()


def test_the_eight_positions() -> None:
    image = torch.arange(6.0).view(1, 1, 2, 3)
    assert turned(image, 1, mirrored=False)[0, 0].tolist() == [[2, 5], [1, 4], [0, 3]], "to the left"
    assert turned(image, 1, mirrored=True)[0, 0].tolist() == [[5, 2], [4, 1], [3, 0]], "then mirrored"
    positions = {str(turned(image, turns, mirrored=m).tolist()) for turns in range(4) for m in (False, True)}
    assert len(positions) == 8
