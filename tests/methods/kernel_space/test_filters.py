"""The reduced networks: known blurs are found and applied."""

import pytest
import torch

from unblur.blur.convolve import convolve
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.methods.kernel_space import filters
from unblur.methods.kernel_space.filters import FilterSpace, reduced_kernel_space

SIDE = 9


def small(seed: int = 0, *, variational: bool = False, signed: bool = True) -> FilterSpace:
    torch.manual_seed(seed)
    return FilterSpace(side=SIDE, code=6, hidden=16, variational=variational, signed=signed).eval()


def random(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def kernel_of(seed: int) -> torch.Tensor:
    values = random(1, 1, SIDE, SIDE, seed=seed) ** 4
    return values / values.sum()


def test_the_reduced_network_is_as_large_as_it_says():
    count = sum(weight.numel() for weight in reduced_kernel_space().parameters())
    assert f"{count:,} parameters" in str(reduced_kernel_space.__doc__)


@pytest.mark.parametrize("size", [(128, 128), (256, 130), (1, 1), (5, 140)])
@pytest.mark.parametrize("variational", [False, True])
def test_photos_of_any_size(size, variational):
    network, sharp, blurry = small(variational=variational), random(2, 3, *size), random(2, 3, *size, seed=2)
    reblurred, spread = network(sharp, blurry)
    assert reblurred.shape == sharp.shape
    assert reblurred.isfinite().all()
    assert spread.mean.shape == spread.sigma.shape == (2, *network.code_shape(*size))
    assert spread.sigma.any() == variational


def test_filters_keep_the_light_and_their_place():
    network = small()
    found = network.filters(torch.randn(2, 6, 1, 3))
    assert found.shape == (2, 1, 3, SIDE, SIDE)
    assert found.min() >= 0
    torch.testing.assert_close(found.sum((-2, -1)), torch.ones(2, 1, 3))


def test_cells_of_one_filter_are_a_convolution():
    image, kernel = random(1, 3, 200, 300), kernel_of(1)
    cells = kernel[:, :, None].expand(1, 2, 3, SIDE, SIDE)
    torch.testing.assert_close(filters._filter_cells(image, cells), convolve(image, kernel, "reflect"))


def test_each_cell_has_its_own_filter_and_blends_with_the_next():
    image = random(1, 3, 128, 256)
    first, second = kernel_of(1), kernel_of(2)
    blurred = filters._filter_cells(image, torch.cat([first, second], 1)[:, None])
    left, right = (convolve(image, kernel, "reflect") for kernel in (first, second))
    torch.testing.assert_close(blurred[..., :104], left[..., :104])
    torch.testing.assert_close(blurred[..., 152:], right[..., 152:])
    torch.testing.assert_close(
        blurred[..., 127:129].mean(-1), (left + right)[..., 127:129].mean(-1) / 2, atol=0.02, rtol=0
    )


@pytest.mark.parametrize("size", [(128, 128), (190, 260)])
def test_the_quotients_are_the_kernel(size):
    """Every cell, also a begun one, has the kernel that the whole photo was blurred by."""
    kernel, inside = kernel_of(3), (..., slice(4, -4), slice(4, -4))
    wide = random(1, 3, size[0] + 8, size[1] + 8)
    seen = [filters._gradients(image) for image in (wide[inside], convolve(wide, kernel, "valid"))]
    least = filters._quotients(*seen, SIDE)[:, : SIDE**2]
    for cell in least[0].flatten(1).T:
        torch.testing.assert_close(cell.view(SIDE, SIDE), kernel[0, 0], atol=0.1 * float(kernel.max()), rtol=0)


def test_blur_is_in_linear_light():
    network, sharp = small(), random(1, 3, 60, 50)
    code = torch.randn(1, 6, 1, 1)
    expected = linear_to_srgb(convolve(srgb_to_linear(sharp), network.filters(code)[:, 0], "reflect"))
    torch.testing.assert_close(network.blur(sharp, code), expected)


def test_without_a_sign_only_what_is_above_zero_counts():
    code, sharp = torch.randn(1, 6, 1, 1, generator=torch.Generator().manual_seed(2)), random(1, 3, 40, 40)
    assert code.min() < 0 < code.max()
    for signed in (False, True):
        network = small(signed=signed)
        assert torch.equal(network.blur(sharp, code), network.blur(sharp, code.clamp(min=0))) is not signed


def test_half_precision_around_it_changes_nothing():
    network, sharp, blurry = small(), random(1, 3, 40, 40), random(1, 3, 40, 40, seed=2)
    expected, _ = network(sharp, blurry)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(network(sharp, blurry)[0], expected)


def test_smaller_codes_make_the_same_blur():
    network, sharp, blurry = small(), random(1, 3, 64, 64), random(1, 3, 64, 64, seed=2)
    before, spread = network(sharp, blurry)
    network.divide_code(17.0)
    after, smaller = network(sharp, blurry)
    torch.testing.assert_close(after, before)
    torch.testing.assert_close(17.0 * smaller.mean, spread.mean)
    assert not torch.equal(network.blur(sharp, 0 * smaller.mean), after), "the code must matter for this to be a test"
