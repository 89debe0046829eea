import re

import pytest
import torch
from torch import nn

from conftest import ROOT
from unblur.errors import ShapeError
from unblur.methods.kernel_space.filters import reduced_kernel_space
from unblur.methods.kernel_space.model import KernelSpace, PublishedSpace, ResidualBlock, full_kernel_space

# parameters of the published networks, part by part
PARTS = {"feature_extractor": 814_208, "adapter": 21_037_120, "recon_trunk": 1_811_203}
EXTRACTOR = {False: 25_542_656, True: 91_602_944}
TOTAL = {False: 49_205_187, True: 115_265_475}


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def published(*, variational: bool) -> KernelSpace:
    """Without memory for its weights."""
    with torch.device("meta"):
        return full_kernel_space(variational=variational)


def small(seed: int = 0, *, variational: bool = False, signed: bool = False) -> PublishedSpace:
    """A few channels, and codes well away from 0, where so narrow an extractor would start."""
    torch.manual_seed(seed)
    network = PublishedSpace(width=8, code=6, front=1, back=1, blocks=1, variational=variational, signed=signed)
    for weight in network.kernel_extractor.parameters():
        nn.init.normal_(weight, 0.05, (2 / weight[0].numel()) ** 0.5)
    return network.eval()


def pair_of(height: int = 128, width: int = 128, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    sharp = torch.rand(1, 3, height, width, generator=generator)
    return sharp, torch.nn.functional.avg_pool2d(sharp, 3, 1, 1)


@pytest.mark.parametrize("variational", [False, True])
def test_counts_of_the_published_networks(variational):
    network = published(variational=variational)
    assert {name: count(getattr(network, name)) for name in PARTS} == PARTS
    assert count(network.kernel_extractor) == EXTRACTOR[variational]
    assert count(network) == TOTAL[variational]


def test_the_table_of_the_page_is_that_of_the_code():
    networks = [
        build(variational=variational) for build in (published, reduced_kernel_space) for variational in (False, True)
    ]
    parts = (("feature_extractor",), ("kernel_extractor",), ("adapter",), ("recon_trunk", "filter_decoder"))
    rows = [
        [sum(count(getattr(network, name, nn.Identity())) for name in names) for network in networks] for names in parts
    ]
    rows.append([sum(column) for column in zip(*rows, strict=True)])
    text = (ROOT / "docs" / "kernel_space.md").read_text(encoding="utf-8")
    found = re.findall(r"^\|[^|]+\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", text, flags=re.MULTILINE)
    assert [[int(number.replace(",", "")) for number in row] for row in found] == rows


def both(start: str, names: tuple[str, ...] = ("weight", "bias")) -> set[str]:
    return {f"{start}.{name}" for name in names}


def released_keys() -> set[str]:
    """The scheme of the released files, written out."""
    keys: set[str] = set()
    for place in (0, 2, 4):
        keys |= both(f"feature_extractor.{place}")
    for place in range(6, 16):
        keys |= both(f"feature_extractor.{place}.conv1") | both(f"feature_extractor.{place}.conv2")
    keys |= {f"kernel_extractor.model.{place}.weight" for place in (1, 4, 7, 10, 13, 16)}
    keys |= {f"kernel_extractor.model.{place}.conv_block.{inner}.weight" for place in range(19, 23) for inner in (1, 5)}
    keys |= {"adapter.model.down.0.weight", "adapter.model.up.1.bias"}
    keys |= {f"adapter.model.{'submodule.' * depth}down.1.weight" for depth in range(1, 5)}
    keys |= {f"adapter.model.{'submodule.' * depth}up.1.weight" for depth in range(5)}
    for place in range(20):
        keys |= both(f"recon_trunk.{place}.conv1") | both(f"recon_trunk.{place}.conv2")
    for place in (20, 23, 26, 28):
        keys |= both(f"recon_trunk.{place}")
    return keys


@pytest.mark.parametrize("variational", [False, True])
def test_names_of_the_released_files(variational):
    state = published(variational=variational).state_dict()
    assert len(state) == 159
    assert set(state) == released_keys()


def test_shapes_on_the_way_up():
    state = published(variational=False).state_dict()
    shapes = [tuple(state[f"adapter.model.{'submodule.' * depth}up.1.weight"].shape) for depth in range(4, -1, -1)]
    assert shapes == [(1024, 512, 4, 4), (1024, 256, 4, 4), (512, 128, 4, 4), (256, 64, 4, 4), (128, 64, 4, 4)]


def test_a_photo_of_256_has_a_code_of_2048_numbers():
    network, photo = published(variational=True), torch.rand(1, 3, 256, 256, device="meta")
    spread = network.extract(photo, photo)
    assert spread.mean.shape == spread.sigma.shape == (1, 512, 2, 2)
    assert network.blur(photo, spread.mean).shape == photo.shape


@pytest.mark.parametrize("size", [(128, 128), (256, 130), (1, 1), (5, 140)])
def test_photos_of_any_size(size):
    network, (sharp, blurry) = small(), pair_of(*size)
    reblurred, spread = network(sharp, blurry)
    assert reblurred.shape == sharp.shape
    assert spread.mean.shape[1:] == network.code_shape(*size)


def test_forward_is_extracting_and_blurring():
    network, (sharp, blurry) = small(), pair_of()
    spread = network.extract(sharp, blurry)
    assert spread.mean.any()
    reblurred, same = network(sharp, blurry)
    assert torch.equal(same.mean, spread.mean)
    torch.testing.assert_close(reblurred, network.blur(sharp, spread.mean))


def test_the_operator_sees_only_what_is_above_zero():
    network, (sharp, _) = small(), pair_of()
    code = torch.randn(1, 6, 1, 1, generator=torch.Generator().manual_seed(2))
    assert code.min() < 0 < code.max()
    assert torch.equal(network.blur(sharp, code), network.blur(sharp, code.clamp(min=0)))
    signed = small(signed=True)
    assert not torch.equal(signed.blur(sharp, code), signed.blur(sharp, code.clamp(min=0)))


def test_the_code_decides_the_blur():
    network, (sharp, _) = small(), pair_of()
    first, second = torch.zeros(1, 6, 1, 1), torch.ones(1, 6, 1, 1)
    assert not torch.equal(network.blur(sharp, first), network.blur(sharp, second))


def test_with_a_last_layer_of_zeros_the_operator_is_the_identity():
    network, (sharp, blurry) = small(), pair_of(100, 60)
    for weight in network.recon_trunk[-1].parameters():
        weight.data.zero_()
    assert torch.equal(network(sharp, blurry)[0], sharp)


def test_residual_blocks_start_small_and_unbiased():
    torch.manual_seed(0)
    block = ResidualBlock(64)
    expected = 0.1 * (2 / (64 * 9)) ** 0.5
    for convolution in (block.conv1, block.conv2):
        assert convolution.weight.std().item() == pytest.approx(expected, rel=0.02)
        assert not convolution.bias.any()


def test_codes_are_drawn_only_in_training_and_only_if_variational():
    sharp, blurry = pair_of()
    for variational in (False, True):
        network = small(variational=variational)
        resting = [network(sharp, blurry)[0] for _ in range(2)]
        network.train()
        training = [network(sharp, blurry)[0] for _ in range(2)]
        assert torch.equal(*resting)
        assert torch.equal(*training) is not variational
    assert not torch.equal(training[0], resting[0])


def test_a_drawn_code_has_the_stated_distribution():
    network, (sharp, blurry) = small(variational=True).train(), pair_of()
    seen: list[torch.Tensor] = []
    network.adapter.register_forward_hook(lambda _module, arguments, _answer: seen.append(arguments[1]))
    torch.manual_seed(3)
    with torch.no_grad():
        spread = [network(sharp, blurry)[1] for _ in range(150)][-1]
    codes = torch.cat(seen)
    sigma = spread.sigma[0].abs()
    assert ((codes.mean(0) - spread.mean[0]).abs() < 5 * sigma / 150**0.5).all()
    torch.testing.assert_close(codes.std(0), sigma, rtol=0.25, atol=0)


def test_a_plain_extractor_has_no_deviation():
    assert not small().extract(*pair_of()).sigma.any()


@pytest.mark.usefixtures("wrong_shapes")
def test_what_does_not_fit_is_refused():
    network, (sharp, blurry) = small(), pair_of()
    with pytest.raises(ShapeError, match="one shape"):
        network.extract(sharp, blurry[..., 1:])
    with pytest.raises(ShapeError, match="one shape"):
        network(sharp, blurry[..., 1:])
    with pytest.raises(ShapeError, match=r"\(6, 1, 1\), not \(6, 2, 2\)"):
        network.blur(sharp, torch.zeros(1, 6, 2, 2))


def test_smaller_codes_make_the_same_blur():
    network, (sharp, blurry) = small(signed=True), pair_of()
    before, spread = network(sharp, blurry)
    network.divide_code(17.0)
    after, smaller = network(sharp, blurry)
    torch.testing.assert_close(after, before)
    torch.testing.assert_close(17.0 * smaller.mean, spread.mean)
    assert not torch.equal(network.blur(sharp, 0 * smaller.mean), after), "the code must matter for this to be a test"


def test_photos_under_the_codes_of_other_pairs():
    network = small()
    (first, blurry), (second, other) = pair_of(seed=1), pair_of(seed=2)
    reblurred, spread = network(torch.cat([first, second]), torch.cat([blurry, other]), [1, 0])
    assert not torch.equal(*spread.mean.split(1))
    torch.testing.assert_close(reblurred[:1], network.blur(first, spread.mean[1:]))
    torch.testing.assert_close(reblurred[1:], network.blur(second, spread.mean[:1]))
