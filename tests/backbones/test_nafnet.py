import pytest
import torch

from filled import assert_numbers, fill, wave_image
from unblur.backbones.local_mean import LocalMean
from unblur.backbones.nafnet import NafBlock, Nafnet, nafnet_32, nafnet_64


@pytest.fixture(scope="module")
def network() -> Nafnet:
    return fill(nafnet_32())


def count(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def test_parameters(network):
    parts = {name: count(part) for name, part in network.named_children()}
    assert parts == {
        "intro": 896,
        "encoders": 13_239_520,
        "downs": 697_280,
        "middle_blks": 1_851_904,
        "ups": 696_320,
        "decoders": 625_120,
        "ending": 867,
    }
    assert count(network) == 17_111_907
    assert len(network.state_dict()) == 664


def test_parameters_of_the_wide_one():
    with torch.device("meta"):
        assert count(nafnet_64()) == 67_888_835


@pytest.mark.parametrize("width", [32, 64])
def test_parameters_of_a_block(width):
    assert count(NafBlock(width)) == 7 * width**2 + 33 * width


def test_names_are_those_of_the_released_files(network):
    block = {
        "beta": (1, 512, 1, 1),
        "gamma": (1, 512, 1, 1),
        "conv1.weight": (1024, 512, 1, 1),
        "conv2.weight": (1024, 1, 3, 3),
        "conv3.weight": (512, 512, 1, 1),
        "sca.1.weight": (512, 512, 1, 1),
        "conv4.weight": (1024, 512, 1, 1),
        "conv5.bias": (512,),
        "norm1.weight": (512,),
        "norm2.bias": (512,),
    }
    state = network.state_dict()
    assert {name: tuple(state[f"middle_blks.0.{name}"].shape) for name in block} == block
    assert state["ups.0.0.weight"].shape == (1024, 512, 1, 1)
    assert state["downs.3.bias"].shape == (512,)
    assert {"encoders.3.27.beta", "decoders.3.0.gamma", "intro.bias", "ending.weight"} <= state.keys()
    assert "ups.0.0.bias" not in state


def test_means_over_the_whole_image(network):
    network.pool_locally(None)
    assert_numbers(network(wave_image()), (0.47447079, 0.36810384, 0.40520429, 0.66137300))


def test_windows_of_local_pooling(network):
    network.pool_locally()
    windows = {
        name: {module.window for module in part.modules() if isinstance(module, LocalMean)}
        for name, part in [*network.encoders.named_children(), ("middle", network.middle_blks)]
    }
    assert windows == {"0": {384}, "1": {192}, "2": {96}, "3": {48}, "middle": {24}}
    network.pool_locally(None)
    assert {module.window for module in network.modules() if isinstance(module, LocalMean)} == {None}


def test_local_pooling_does_nothing_to_crops_of_the_size_of_training(network):
    image = wave_image(32)
    network.pool_locally(None)
    whole = network(image)
    network.pool_locally(32)
    assert torch.equal(network(image), whole)
    network.pool_locally(16)
    assert not torch.allclose(network(image), whole, atol=1e-3)


def test_any_size(network):
    image = wave_image()[..., :50, :61]
    assert network(image).shape == image.shape


def test_a_new_network_begins_at_the_image():
    torch.manual_seed(0)
    block = NafBlock(8)
    features = torch.rand(1, 8, 5, 6)
    assert torch.equal(block(features), features)
