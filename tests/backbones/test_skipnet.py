"""The image prior: its size as published, any photo size, and what it is at the beginning."""

import pytest
import torch

from unblur.backbones.skipnet import NonLocal, image_prior


def weights_of(network: torch.nn.Module) -> int:
    return sum(weights.numel() for weights in network.parameters())


@pytest.mark.parametrize(("out_channels", "count"), [(1, 2_365_521), (3, 2_365_779)])
def test_counts(out_channels, count):
    assert weights_of(image_prior(out_channels)) == count


def test_a_non_local_block_has_its_count():
    assert weights_of(NonLocal(128)) == 33_344


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (33, 47), (65, 71)])
@pytest.mark.parametrize("padding", ["reflect", "zeros"])
def test_size_stays(size, padding):
    network = image_prior(width=16, padding=padding)
    # batch statistics of one value are not defined: two images
    image = network(torch.rand(2, 8, *size))
    assert image.shape == (2, 1, *size)
    assert image.min() > 0
    assert image.max() < 1


@pytest.mark.slow
@pytest.mark.parametrize("side", [265, 271, 281])
def test_size_stays_at_full_width(side):
    with torch.no_grad():
        assert image_prior()(torch.rand(1, 8, side, side)).shape[-2:] == (side, side)


def test_a_non_local_block_is_identity_at_first():
    features = torch.rand(1, 16, 9, 11)
    assert torch.equal(NonLocal(16)(features), features)


def test_a_non_local_block_is_the_mean_weighted_by_dot_products():
    torch.manual_seed(0)
    block = NonLocal(4)
    torch.nn.init.ones_(block.norm.weight)
    features = torch.randn(1, 4, 4, 6)
    query = block.query(features)[0].flatten(1)
    key, value = (
        torch.nn.functional.max_pool2d(branch(features), 2)[0].flatten(1) for branch in (block.key, block.value)
    )
    answer = torch.zeros(2, 24)
    for place in range(24):
        for pooled in range(6):
            answer[:, place] += query[:, place] @ key[:, pooled] / 6 * value[:, pooled]
    expected = features + block.norm(block.back(answer.view(1, 2, 4, 6)))
    assert torch.allclose(block(features), expected, atol=1e-5)


def test_half_precision_is_near_and_the_image_is_whole():
    torch.manual_seed(0)
    network, code = image_prior(width=16), torch.rand(1, 8, 48, 48) / 10
    exact = network(code)
    with torch.autocast("cpu", torch.bfloat16):
        half = network(code)
    assert half.dtype == torch.float32
    assert (half - exact).abs().mean() < 0.01
