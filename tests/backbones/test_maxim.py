import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from filled import assert_numbers, fill, wave_image
from tfjs_graph import evaluate
from tfjs_made import tiny_graph
from unblur.backbones.maxim import Maxim, maxim_3s
from unblur.backbones.maxim_blocks import Conv, Double, FeatureSource, join
from unblur.backbones.multi_axis import ChannelNorm, SplitHead, dense, dense_gelu, dense_plus, gelu, pixelwise
from unblur.weights.maxim_package import convert_maxim, read_layers, read_package
from unblur.weights.tfjs import read_graph_model

EXACT = 1e-12


def count(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


@pytest.fixture(scope="module")
def network() -> Maxim:
    return fill(maxim_3s())


def test_parameters(network):
    assert count(network) == 22_207_605
    assert len(network.state_dict()) == 2_750


def test_parameters_of_parts(network):
    parts = {name: count(network.get_submodule(name)) for name in PARTS}
    assert parts == PARTS


PARTS = {
    "stage_0_encoder_block_0": 341_584,
    "stage_1_encoder_block_1": 893_344,
    "stage_0_global_block_0": 448_960,
    "stage_2_cross_gating_block_2": 347_008,
    "stage_1_decoder_block_0": 335_440,
    "stage_1_input_fuse_sam_2": 248_576,
    "stage_0_supervised_attention_module_0": 11_011,
}


def test_numbers_of_filled_weights(network):
    """As the network answered when it agreed with the released graph: `test_parity_with_the_released_graph`."""
    assert_numbers(network(wave_image()), (0.46002458, 0.36025197, 0.56225636, 0.44461539))


def test_names_are_those_of_the_official_network(network):
    names = {
        "stage_0_input_conv_2.weight": (128, 3, 3, 3),
        "stage_1_input_fuse_sam_1.SplitHeadMultiAxisGating_y.Dense_1.weight": (256, 256),
        "stage_0_encoder_block_2.SplitHeadMultiAxisGmlpLayer_1.GridGmlpLayer.GridGatingUnit.Dense_0.bias": (64,),
        "stage_2_encoder_block_0.cross_gating_block.LayerNorm_x.weight": (32,),
        "stage_2_global_block_1.channel_attention_block_1_0.channel_mixing.Dense_1.weight": (128, 128),
        "stage_1_cross_gating_block_0.ConvTranspose_0.weight": (64, 32, 2, 2),
        "stage_1_decoder_block_0.UNetEncoderBlock_0.Conv_0.weight": (32, 128, 1, 1),
        "stage_1_supervised_attention_module_2.Conv_1.weight": (3, 128, 3, 3),
        "UpSampleRatio_17.Conv_0.weight": (32, 32, 1, 1),
        "stage_2_output_conv_0.bias": (3,),
    }
    state = network.state_dict()
    assert {name: tuple(state[name].shape) for name in names} == names


def windows_by_hand(features: Tensor, side: int, kind: str) -> list[tuple[slice, slice]]:
    height, width = features.shape[1:3]
    rows, columns = height // side, width // side
    if kind == "block":
        return [
            (slice(side * row, side * (row + 1)), slice(side * column, side * (column + 1)))
            for row in range(rows)
            for column in range(columns)
        ]
    return [(slice(row, None, rows), slice(column, None, columns)) for row in range(rows) for column in range(columns)]


def perceptron_by_hand(windows: Tensor, layer: torch.nn.Module, unit: torch.nn.Module) -> Tensor:
    """`(n, pixels, c)`, Tu et al., Fig. 3, as it is written there."""
    inner = functional.gelu(layer.in_project(layer.LayerNorm(windows)), approximate="tanh")
    kept, gate = inner.chunk(2, -1)
    gate = unit.Dense_0(unit.intermediate_layernorm(gate).transpose(1, 2)).transpose(1, 2)
    return windows + layer.out_project(kept * (gate + 1))


def test_windows_are_mixed_as_written(monkeypatch):
    """A few windows at a time, for grids and blocks, of two images at once, against one window after the other."""
    monkeypatch.setattr("unblur.backbones.multi_axis._AT_A_TIME", 500)
    layer, side = fill(SplitHead(6, 4)), 4
    features = torch.rand(2, 12, 20, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    inner = functional.gelu(layer.in_project(layer.LayerNorm_in(features)), approximate="tanh").chunk(2, -1)
    halves = []
    for kind, half, perceptron in zip(
        ("grid", "block"), inner, (layer.GridGmlpLayer, layer.BlockGmlpLayer), strict=True
    ):
        mixed = torch.empty_like(half)
        unit = perceptron.get_submodule(f"{kind.title()}GatingUnit")
        for rows, columns in windows_by_hand(features, side, kind):
            window = half[:, rows, columns]
            mixed[:, rows, columns] = perceptron_by_hand(window.flatten(1, 2), perceptron, unit).view(window.shape)
        halves.append(mixed)
    expected = features + layer.out_project(torch.cat(halves, -1))
    assert torch.allclose(layer(features), expected, atol=EXACT, rtol=0)


@pytest.mark.parametrize("levels", [-2, -1, 0, 1, 2])
def test_sources_are_resampled_then_convolved_then_joined(levels):
    """Against the order in which they are written down, with torch's own resampling."""
    torch.manual_seed(0)
    own, outer = Conv(5, 4).double(), Conv(3 + 4, 6).double()
    size = [int(8 * 2.0**-levels), int(12 * 2.0**-levels)]
    plain, features = torch.rand(1, 8, 12, 3).double(), torch.rand(1, *size, 5).double()
    resampled = functional.interpolate(
        features.permute(0, 3, 1, 2), (8, 12), mode="bilinear", antialias=levels < 0
    ).permute(0, 2, 3, 1)
    expected = outer(torch.cat((plain, own(resampled)), -1))
    found = join([FeatureSource(plain), FeatureSource(features, levels, own)], outer)
    assert torch.allclose(found, expected, atol=EXACT, rtol=0)


def test_gelu_is_the_tanh_form():
    values = torch.linspace(-12, 12, 100_001)
    expected = functional.gelu(values.double(), approximate="tanh")
    assert torch.allclose(gelu(values.clone()).double(), expected, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(("dtype", "close"), [(torch.float32, 2e-6), (torch.bfloat16, 2e-2), (torch.float64, EXACT)])
@torch.no_grad()
def test_dense_layers_with_what_follows_are_as_written(dtype, close):
    """In one pass or in several, as the processor and the type of number say; weights are part of a larger matrix."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(32, 64).to(dtype)
    features, other = torch.randn(3, 16, 32).to(dtype), torch.randn(3, 16, 64).to(dtype)
    plain = layer.double()(features.double())
    layer = layer.to(dtype)
    expected = {
        dense(features, layer): plain,
        dense_plus(features, layer, other): plain + other.double(),
        dense_gelu(features, layer): functional.gelu(plain, approximate="tanh"),
        pixelwise(features[..., :16], layer.weight[:, :16]): functional.linear(
            features[..., :16].double(), layer.weight[:, :16].double()
        ),
    }
    for found, truth in expected.items():
        assert found.dtype == dtype
        assert torch.allclose(found.double(), truth, atol=close, rtol=close)


@torch.no_grad()
def test_weights_in_bfloat16_change_little():
    torch.manual_seed(0)
    network, image = Maxim(8, 2), torch.rand(1, 3, 64, 128)
    exact, answer = network(image), network.bfloat16()(image)
    assert answer.dtype == torch.float32
    change = (exact - image).square().mean()
    assert change > 0
    assert (answer - exact).square().mean() < 1e-3 * change


def test_gradients_are_those_of_the_answer():
    """In one random direction, against a difference quotient; weights and image learn both."""
    torch.manual_seed(0)
    network = Maxim(4, 2).double()
    image = torch.rand(1, 3, 64, 64, dtype=torch.float64, requires_grad=True)
    inputs = [image, *network.parameters()]
    gradients = torch.autograd.grad((network(image) ** 2).mean(), inputs)
    # A unit of the channel attention, which is one unit wide here, may be dead.
    assert sum(bool(gradient.abs().max() > 0) for gradient in gradients) > 0.9 * len(gradients)
    step = 1e-6
    with torch.no_grad():
        directions = [torch.randn_like(tensor) for tensor in inputs]
        values = []
        for sign in (1, -1):
            for tensor, direction in zip(inputs, directions, strict=True):
                tensor.add_(direction, alpha=sign * step * (1 if sign > 0 else 2))
            values.append((network(image) ** 2).mean())
    slope = sum((gradient * direction).sum() for gradient, direction in zip(gradients, directions, strict=True))
    assert float((values[0] - values[1]) / (2 * step)) == pytest.approx(float(slope), rel=1e-5)


@pytest.mark.slow
def test_a_batch_is_its_images(network):
    images = torch.cat((wave_image(), wave_image().flip(3)))
    together = network(images)
    alone = torch.cat([network(image) for image in images.split(1)])
    assert torch.allclose(together, alone, atol=1e-9, rtol=0)


@torch.no_grad()
def test_the_interpreter_and_the_converter_agree_with_layers():
    """On a graph that was made for it, with each kind of layer once."""
    made, size = tiny_graph(), (8, 12)
    tensors = read_layers(read_graph_model(made.text()), made.shards())
    layers = {
        "stage_0_input_conv_0": Conv(3, 4, 3),
        "block_0.LayerNorm": ChannelNorm(4),
        "block_0.in_project": torch.nn.Linear(4, 8),
        "block_0.Conv_1": Conv(8, 4, 4, 2),
        "block_1.ConvTranspose_0": Double(4, 3),
    }
    for name, layer in layers.items():
        layer.load_state_dict({leaf: tensors.pop(f"{name}.{leaf}") for leaf in ("weight", "bias")})
    assert not tensors
    image = torch.rand(1, *size, 3, generator=torch.Generator().manual_seed(2))
    convolve, normalise, project, halve, double = layers.values()
    ours = double(halve(gelu(dense(normalise(convolve(image)), project))))
    graphs = evaluate(json.loads(made.text()), b"".join(made.shards().values()), image.numpy())
    assert np.abs(ours.numpy() - graphs).max() < 2e-5, "values reach 14, in single precision"


def package() -> Path | None:
    named = os.environ.get("UNBLUR_MAXIM")
    return Path(named) if named else None


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("size", [(128, 192), (256, 256)])
@torch.no_grad()
def test_parity_with_the_released_graph(size):
    """UNBLUR_MAXIM names the npm package; the graph is evaluated in double precision."""
    path = package()
    if path is None:
        pytest.skip("UNBLUR_MAXIM names no npm package with MAXIM in it")
    model, shards = read_package(path)
    network = maxim_3s()
    network.load_state_dict(convert_maxim(model, shards))
    image = wave_image(256)[..., : size[0], : size[1]].float()
    parsed = json.loads(model)
    data = b"".join(shards[name] for name in parsed["weightsManifest"][0]["paths"])
    graphs = torch.from_numpy(evaluate(parsed, data, image.permute(0, 2, 3, 1).numpy())).permute(0, 3, 1, 2)
    assert (network(image) - graphs).abs().max() < 5e-6
    assert (network.double()(image.double()) - graphs).abs().max() < 1e-6
