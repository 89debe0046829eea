"""Weights into networks: all of them or none (goal F4)."""

import pytest
import torch
from torch import nn

from unblur.errors import CheckpointError
from unblur.methods.architectures import load_weights
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.loading import load_into

EXPECTED = "a network of two layers"


def make_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))


def state() -> dict[str, torch.Tensor]:
    network = make_network()
    return {name: torch.rand_like(tensor.float()).to(tensor.dtype) for name, tensor in network.state_dict().items()}


def test_all_of_it_arrives():
    network, tensors = make_network(), state()
    assert load_into(network, Checkpoint("w", tensors), expected=EXPECTED) == ()
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, tensors[name])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precision_is_converted_and_said(dtype):
    network = make_network()
    tensors = {name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in state().items()}
    [note] = load_into(network, Checkpoint("w", tensors), expected=EXPECTED)
    assert str(dtype).removeprefix("torch.") in note
    assert "float32" in note
    for name, tensor in network.state_dict().items():
        assert tensor.dtype == state()[name].dtype
        assert torch.equal(tensor, tensors[name].to(tensor.dtype))


def renamed(tensors):
    return {name.replace("0.", "first."): tensor for name, tensor in tensors.items()}


def without_two(tensors):
    return {name: tensor for name, tensor in tensors.items() if not name.startswith("2.")}


def with_three_more(tensors):
    return tensors | {f"extra.{number}": torch.ones(1) for number in range(3)}


def transposed(tensors):
    return tensors | {"0.weight": tensors["0.weight"].transpose(0, 1)}


def whole_numbers(tensors):
    return tensors | {"2.bias": torch.ones(2, dtype=torch.int64)}


def another_network(tensors):
    return {"intro.weight": torch.ones(64, 3, 3, 3), "ending.weight": torch.ones(1), "encoders.0.0.beta": torch.ones(1)}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (renamed, "2 missing, 2 extra, first: '0.weight'"),
        (without_two, "2 missing, first: '2.weight'"),
        (with_three_more, "3 extra, first: 'extra.0'"),
        (
            transposed,
            "1 of another shape or type, first: '0.weight' is 3x4x3x3 float32, not 4x3x3x3 float32",
        ),
        (whole_numbers, "1 of another shape or type, first: '2.bias' is 2 int64, not 2 float32"),
        (another_network, "is NAFNet (width 64), expected a network of two layers; 9 missing, 3 extra"),
    ],
)
def test_a_mismatch_is_refused_and_nothing_loaded(change, told):
    network = make_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_weights(network, Checkpoint("w", change(state())), expected=EXPECTED)
    assert told in str(caught.value)
    assert f"expected {EXPECTED}" in str(caught.value)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_what_the_file_calls_itself_is_told_where_nothing_is_recognised():
    checkpoint = Checkpoint("w", {"a": torch.ones(1)}, {"arch": "restormer"})
    with pytest.raises(CheckpointError, match=r"^is restormer, expected a network of two layers; 9 missing, 1 extra"):
        load_into(make_network(), checkpoint, expected=EXPECTED)
