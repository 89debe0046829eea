"""With made-up weights: the trained ones are not part of unblur."""

import pytest
import torch
from torch import nn

from unblur.errors import CheckpointError
from unblur.losses.perceptual import FeatureDistance, PerceptualDistance, vgg11_bn_features, vgg19_features
from unblur.weights.checkpoint import read_checkpoint
from unblur.weights.safe_file import write_checkpoint


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    features = vgg11_bn_features()
    path = tmp_path_factory.mktemp("vgg") / "vgg.safetensors"
    tensors = {f"features.{name}": value for name, value in features.state_dict().items()}
    write_checkpoint(path, {**tensors, "classifier.0.weight": torch.zeros(1)}, {})
    return path


def test_layers_are_those_of_the_usual_file():
    features = vgg11_bn_features()
    assert len(features) == 29
    assert [place for place, layer in enumerate(features) if isinstance(layer, nn.MaxPool2d)] == [3, 7, 14, 21, 28]
    assert sum(parameter.numel() for parameter in features.parameters()) == 9_225_984
    assert features(torch.rand(1, 3, 64, 96)).shape == (1, 512, 2, 3)


def test_sum_and_mean(weights):
    sharp = torch.rand(2, 3, 32, 64)
    restored = sharp + 0.1 * torch.randn_like(sharp)
    restored[1] = sharp[1]
    by_sum, by_mean = (PerceptualDistance(weights, reduction)(restored, sharp) for reduction in ("sum", "mean"))
    assert by_sum[0] > 0
    assert by_sum[1] == 0
    assert torch.allclose(by_sum, by_mean * 512 * 1 * 2)


def test_old_files_without_counters(weights, tmp_path):
    tensors = read_checkpoint(weights).tensors
    old = {name: value for name, value in tensors.items() if not name.endswith("num_batches_tracked")}
    write_checkpoint(tmp_path / "old.safetensors", old, {})
    image, other = torch.rand(2, 1, 3, 32, 32)
    assert torch.equal(
        PerceptualDistance(tmp_path / "old.safetensors")(image, other), PerceptualDistance(weights)(image, other)
    )


def test_it_is_fixed_and_still_leads(weights):
    distance = PerceptualDistance(weights).train()
    assert not distance.features.training
    assert not any(parameter.requires_grad for parameter in distance.parameters())
    restored = torch.rand(1, 3, 32, 32, requires_grad=True)
    distance(restored, torch.rand(1, 3, 32, 32)).sum().backward()
    assert restored.grad.abs().sum() > 0


def test_weights_of_something_else(tmp_path):
    write_checkpoint(tmp_path / "other.safetensors", {"a": torch.zeros(1)}, {})
    with pytest.raises(CheckpointError, match="expected VGG-11"):
        PerceptualDistance(tmp_path / "other.safetensors")


def test_five_places_of_vgg_19(tmp_path):
    torch.manual_seed(1)
    features = vgg19_features()
    places = [place for place, layer in enumerate(features) if isinstance(layer, nn.Conv2d)]
    assert places == [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28], "those of the usual file"
    tensors = {f"features.{name}": value for name, value in features.state_dict().items()}
    later = {"features.30.weight": torch.zeros(2), "classifier.0.weight": torch.zeros(1)}
    write_checkpoint(tmp_path / "vgg.safetensors", {**tensors, **later}, {})
    distance = FeatureDistance(tmp_path / "vgg.safetensors")
    image, other = torch.rand(2, 2, 3, 32, 32)
    seen = [[features[: place + 1](photo) for place in (1, 6, 11, 20, 29)] for photo in (image, other)]
    weighted = zip((0.2, 0.4, 0.8, 1.0, 3.0), *seen, strict=True)
    expected = sum(weight * (one - two).abs().mean((1, 2, 3)) for weight, one, two in weighted)
    torch.testing.assert_close(distance(image, other), expected)
    assert not distance(image, image).any()
