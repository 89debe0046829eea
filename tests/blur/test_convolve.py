import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, signal

from unblur.blur.convolve import convolve, convolve_adjoint
from unblur.errors import ShapeError

BOUNDARIES = ["circular", "reflect", "replicate", "zeros", "valid"]
SCIPY_MODE = {"circular": "wrap", "reflect": "mirror", "replicate": "nearest", "zeros": "constant"}


def uniform(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("kernel_size", [(3, 3), (5, 1), (7, 9), (13, 11)])
@pytest.mark.parametrize("boundary", SCIPY_MODE)
def test_equals_scipy_at_every_boundary(boundary, kernel_size):
    image, kernel = uniform(1, 1, 16, 19), uniform(1, 1, *kernel_size, seed=1)
    expected = ndimage.convolve(image[0, 0].numpy(), kernel[0, 0].numpy(), mode=SCIPY_MODE[boundary])
    np.testing.assert_allclose(convolve(image, kernel, boundary)[0, 0].numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("kernel_size", [(3, 3), (7, 9)])
def test_valid_equals_scipy(kernel_size):
    image, kernel = uniform(1, 1, 16, 19), uniform(1, 1, *kernel_size, seed=1)
    expected = signal.convolve2d(image[0, 0].numpy(), kernel[0, 0].numpy(), mode="valid")
    np.testing.assert_allclose(convolve(image, kernel, "valid")[0, 0].numpy(), expected, atol=1e-12)


def test_convention_convolution_flips_the_kernel():
    impulse = torch.zeros(1, 1, 9, 9)
    impulse[..., 4, 4] = 1
    for side in (3, 7):
        kernel = uniform(1, 1, side, side).float()
        reach = side // 2
        response = convolve(impulse, kernel, "zeros")[..., 4 - reach : 5 + reach, 4 - reach : 5 + reach]
        torch.testing.assert_close(response, kernel)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("side", [1, 3, 9])
def test_convention_impulse_at_the_centre_is_the_identity(boundary, side):
    image = uniform(2, 3, 12, 15)
    kernel = torch.zeros(1, 1, side, side, dtype=torch.float64)
    kernel[..., side // 2, side // 2] = 1
    margin = side // 2 if boundary == "valid" else 0
    torch.testing.assert_close(
        convolve(image, kernel, boundary), image[..., margin : 12 - margin, margin : 15 - margin]
    )


@given(
    height=st.integers(1, 14),
    width=st.integers(1, 14),
    half_height=st.integers(0, 8),
    half_width=st.integers(0, 8),
    boundary=st.sampled_from(BOUNDARIES),
    per_channel=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_adjoint(*, height, width, half_height, half_width, boundary, per_channel):
    kernel = uniform(1, 2 if per_channel else 1, 2 * half_height + 1, 2 * half_width + 1, seed=1)
    if boundary == "valid":
        height, width = height + 2 * half_height, width + 2 * half_width
    image = uniform(2, 2, height, width, seed=2) - 0.5
    blurred = convolve(image, kernel, boundary)
    other = uniform(*blurred.shape, seed=3) - 0.5
    back = convolve_adjoint(other, kernel, boundary)
    assert back.shape == image.shape
    torch.testing.assert_close((blurred * other).sum(), (image * back).sum(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("boundary", ["circular", "reflect", "replicate"])
def test_a_constant_image_stays_constant_however_small(boundary):
    kernel = uniform(1, 1, 11, 13)
    for size in ((1, 1), (1, 6), (3, 2), (20, 30)):
        blurred = convolve(torch.full((1, 1, *size), 0.4, dtype=torch.float64), kernel / kernel.sum(), boundary)
        torch.testing.assert_close(blurred, torch.full_like(blurred, 0.4))


def test_a_kernel_for_each_image_and_channel():
    image, kernels = uniform(2, 3, 10, 12), uniform(2, 3, 7, 7, seed=1)
    together = convolve(image, kernels, "reflect")
    for b in range(2):
        for c in range(3):
            alone = convolve(image[b : b + 1, c : c + 1], kernels[b : b + 1, c : c + 1], "reflect")
            torch.testing.assert_close(together[b : b + 1, c : c + 1], alone)


def test_convention_dtype_is_kept_and_arguments_are_unchanged():
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        image, kernel = uniform(1, 1, 9, 9).to(dtype), torch.full((1, 1, 7, 7), 1 / 49, dtype=dtype)
        before = image.clone()
        assert convolve(image, kernel, "reflect").dtype == dtype
        assert convolve_adjoint(image, kernel, "reflect").dtype == dtype
        torch.testing.assert_close(image, before, rtol=0, atol=0)


def test_gradients_flow_to_image_and_kernel():
    image, kernel = uniform(1, 1, 6, 7).requires_grad_(), uniform(1, 1, 7, 7, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda i, k: convolve(i, k, "reflect"), (image, kernel))


@pytest.mark.usefixtures("wrong_shapes")
def test_wrong_arguments_are_one_sentence():
    image, kernel = uniform(1, 1, 6, 7), uniform(1, 1, 4, 5)
    with pytest.raises(ShapeError, match=r"odd sizes.+5x4"):
        convolve(image, kernel, "reflect")
    with pytest.raises(ShapeError, match="9x9 kernel fits nowhere"):
        convolve(image, uniform(1, 1, 9, 9), "valid")
    with pytest.raises(ShapeError, match="four axes"):
        convolve(image[0], uniform(1, 1, 3, 3), "valid")
    with pytest.raises(ValueError, match="boundary is one of"):
        convolve(image, uniform(1, 1, 3, 3), "mirror")
