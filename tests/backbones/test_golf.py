import pytest
import torch
from torch import nn

from unblur.backbones.golf import first_shot, putt

# Table 1 of the paper, stage by stage
TABLE_1 = {
    "first shot": (first_shot, [4704, 151808, 151808, 151808, 5779, 441], 466_348),
    "putt": (putt, [2352, 38016, 38016, 38016, 3347, 441], 120_188),
}
STAGES = ["head", "layer1", "layer2", "layer3", "layer4", "tail"]


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def shaken(network: nn.Module, seed: int = 0) -> nn.Module:
    """Far from the identity that it starts as."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)
    return network.requires_grad_(False)


@pytest.mark.parametrize("name", TABLE_1)
def test_every_stage_has_the_papers_count(name):
    build, stages, total = TABLE_1[name]
    network = build()
    assert [count(getattr(network, stage)) for stage in STAGES] == stages
    assert count(network) == sum(stages) == total


@pytest.mark.parametrize(("build", "mebibytes"), [(first_shot, 1.78), (putt, 0.46)])
def test_sizes_of_table_3(build, mebibytes):
    assert round(4 * count(build()) / 2**20, 2) == mebibytes


def test_blocks_have_the_derived_counts():
    counts = [[count(block) for block in network.layer4] for network in (putt(), first_shot())]
    assert counts == [[2669, 678], [5101, 678]]
    assert [count(block) for block in putt().layer1] == [19008, 19008]
    assert [count(block) for block in first_shot().layer2] == [75904, 75904]


def test_fifty_layers():
    network = first_shot()
    blocks = [block for stage in (network.layer1, network.layer2, network.layer3, network.layer4) for block in stage]
    assert 2 + sum(len(block.branch) for block in blocks) == 50


def test_convolutions_have_no_bias():
    network = first_shot()
    with_bias = [name for name, module in network.named_modules() if getattr(module, "bias", None) is not None]
    assert with_bias
    assert all(isinstance(network.get_submodule(name), nn.InstanceNorm2d) for name in with_bias)


@pytest.mark.parametrize("size", [(45, 67), (32, 33), (2, 1)])
def test_size_stays(size):
    image = torch.rand(2, 3, *size)
    assert shaken(putt())(image).shape == image.shape


def test_starts_as_the_identity():
    image = torch.rand(1, 3, 40, 40)
    assert torch.equal(first_shot()(image), image)
    assert not torch.equal(first_shot(skip=False)(image), image)


def test_at_unit_contrast_corrections_grow_with_the_contrast():
    network = shaken(putt(unit_contrast=True)).double()
    image = torch.rand(2, 3, 40, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    answer = network(image)
    assert (answer - image).abs().mean() > 0.005
    torch.testing.assert_close(network(0.2 * image + 0.3), 0.2 * answer + 0.3)
    assert torch.equal(putt(unit_contrast=True)(torch.full((1, 3, 8, 8), 0.5)), torch.full((1, 3, 8, 8), 0.5))
    assert count(network) == TABLE_1["putt"][2]


def test_a_network_sees_46_pixels_far():
    """Normalisation apart, which sees everything: without it, a changed pixel changes a square of 93."""
    network = shaken(putt())
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.InstanceNorm2d | nn.ReLU):
            network.set_submodule(name, nn.Identity())
    image = torch.zeros(1, 3, 121, 121, dtype=torch.float64)
    changed = image.clone()
    changed[..., 60, 60] = 1
    network.double()
    where = (network(changed) - network(image)).abs().sum(1)[0].nonzero()
    assert where.min() == 60 - 46
    assert where.max() == 60 + 46
