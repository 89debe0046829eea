import pytest
import torch

from filled import assert_numbers, fill, wave_image
from unblur.backbones.mprnet import Mprnet, mprnet


@pytest.fixture(scope="module")
def network() -> Mprnet:
    return fill(mprnet())


def count(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def test_parameters(network):
    assert count(network) == 20_127_073
    assert len(network.state_dict()) == 316
    assert sum(value.numel() for value in network.state_dict().values()) == 20_127_127


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("shallow_feat1", 173_089),
        ("stage1_encoder", 2_513_665),
        ("stage2_encoder", 2_647_297),
        ("stage1_decoder", 3_067_777),
        ("stage3_orsnet", 7_901_185),
        ("sam12", 9_792),
        ("concat12", 165_888),
        ("concat23", 221_184),
        ("tail", 3_456),
    ],
)
def test_parameters_of_each_part(network, part, expected):
    assert count(network.get_submodule(part)) == expected


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("shallow_feat1.0.weight", (96, 3, 3, 3)),
        ("shallow_feat3.1.CA.conv_du.2.weight", (96, 24, 1, 1)),
        ("stage1_encoder.down12.down.1.weight", (144, 96, 1, 1)),
        ("stage2_encoder.csff_dec3.weight", (192, 192, 1, 1)),
        ("stage1_decoder.skip_attn2.body.2.weight", (144, 144, 3, 3)),
        ("stage2_decoder.up32.up.1.weight", (144, 192, 1, 1)),
        ("stage3_orsnet.orb3.body.7.CA.conv_du.0.weight", (32, 128, 1, 1)),
        ("stage3_orsnet.orb1.body.8.weight", (128, 128, 3, 3)),
        ("stage3_orsnet.up_dec2.1.up.1.weight", (96, 144, 1, 1)),
        ("stage3_orsnet.conv_enc2.weight", (128, 96, 1, 1)),
        ("sam23.conv3.weight", (96, 3, 1, 1)),
        ("concat23.weight", (128, 192, 3, 3)),
        ("tail.weight", (3, 128, 3, 3)),
    ],
)
def test_names_are_those_of_the_released_file(network, name, shape):
    assert network.state_dict()[name].shape == shape


def test_one_slope_for_all(network):
    slopes = [value for name, value in network.state_dict().items() if name.endswith("body.1.weight")]
    assert len(slopes) == 55
    assert len({slope.data_ptr() for slope in slopes}) == 1


def test_three_stages(network):
    image = wave_image()
    answer = network(image)
    assert_numbers(answer.third, (0.46893089, 0.35226074, 0.52454234, 0.54603621))
    assert_numbers(answer.second, (0.46806900, 0.35200983, 0.52440828, 0.54548875))
    assert_numbers(answer.first, (0.43649481, 0.34670037, 0.44163405, 0.49438103))
    assert torch.equal(image, wave_image())
