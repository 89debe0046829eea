"""Distances in the features of networks that were trained to classify images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from unblur.weights.checkpoint import Checkpoint, read_checkpoint
from unblur.weights.loading import load_into

__all__ = ["FeatureDistance", "PerceptualDistance", "Reduction", "vgg11_bn_features", "vgg19_features"]

Reduction = Literal["sum", "mean"]

_VGG11 = (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512, "pool")
_VGG19 = (64, 64, "pool", 128, 128, "pool", *(256,) * 4, "pool", *(512,) * 4, "pool", 512)
_COMPARED = {1: 0.2, 6: 0.4, 11: 0.8, 20: 1.0, 29: 3.0}
"""The first activation at each of five sizes, and its weight."""
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PerceptualDistance(nn.Module):
    """Squared distance behind the fifth pooling of VGG-11 with batch normalisation (Simonyan, Zisserman, ICLR 2015).

    Its weights are not part of unblur: the usual file is `vgg11_bn-6002323d.pth`, trained on ImageNet.

    Args:
        weights: That file, or one with the same tensors.
        reduction: `sum` or `mean` of the squares over the 512 maps of 1/32 of the image's size.

    Raises:
        CheckpointError: No such file, or one of another network.
    """

    def __init__(self, weights: Path, reduction: Reduction = "sum") -> None:
        super().__init__()
        self.reduction: Reduction = reduction
        self.features = vgg11_bn_features()
        load_into(self.features, _features_of(weights, self.features), expected="VGG-11 with batch normalisation")
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> PerceptualDistance:  # noqa: ARG002 - nn.Module's signature
        """Never trains: its statistics are ImageNet's."""
        return super().train(False)

    def forward(self, restored: Float[Tensor, "b 3 h w"], sharp: Float[Tensor, "b 3 h w"]) -> Float[Tensor, " b"]:
        """The distance of each image; sides of at least 32 pixels, values in [0, 1]."""
        difference = self._normalised_features(restored) - self._normalised_features(sharp)
        squares = difference.square().flatten(1)
        return squares.sum(1) if self.reduction == "sum" else squares.mean(1)

    def _normalised_features(self, image: Tensor) -> Tensor:
        mean, deviation = (image.new_tensor(values).view(1, 3, 1, 1) for values in (_IMAGENET_MEAN, _IMAGENET_STD))
        return self.features((image - mean) / deviation)


class FeatureDistance(nn.Module):
    """Mean absolute distance at five places of VGG-19: relu1_1, 2_1, 3_1, 4_1, 5_1 weigh 0.2, 0.4, 0.8, 1 and 3.

    As in the released code of Tran et al. (CVPR 2021), images are not normalised as ImageNet's were. The weights are
    not part of unblur: the usual file is `vgg19-dcbb9e9d.pth`, trained on ImageNet.

    Args:
        weights: That file, or one with the same tensors.

    Raises:
        CheckpointError: No such file, or one of another network.
    """

    def __init__(self, weights: Path) -> None:
        super().__init__()
        self.features = vgg19_features()
        load_into(self.features, _features_of(weights, self.features), expected="VGG-19")
        self.requires_grad_(False)

    def forward(self, restored: Float[Tensor, "b 3 h w"], sharp: Float[Tensor, "b 3 h w"]) -> Float[Tensor, " b"]:
        """The distance of each image; sides of at least 16 pixels, values in [0, 1]."""
        distance = restored.new_zeros(len(restored))
        for place, layer in enumerate(self.features):
            restored, sharp = layer(restored), layer(sharp)
            if place in _COMPARED:
                distance = distance + _COMPARED[place] * (restored - sharp).abs().mean((1, 2, 3))
        return distance


def vgg19_features() -> nn.Sequential:
    """The feature layers up to relu5_1, without weights; named as torchvision names them."""
    return _vgg_features(_VGG19, normalised=False)


def vgg11_bn_features() -> nn.Sequential:
    """The 29 feature layers, without weights; named as torchvision names them."""
    return _vgg_features(_VGG11, normalised=True)


def _vgg_features(plan: tuple[int | str, ...], *, normalised: bool) -> nn.Sequential:
    """Convolutions of so many channels, with batch normalisation or without, and poolings."""
    layers: list[nn.Module] = []
    channels = 3
    for item in plan:
        if isinstance(item, str):
            layers.append(nn.MaxPool2d(2))
            continue
        norm = [nn.BatchNorm2d(item)] if normalised else []
        layers += [nn.Conv2d(channels, item, 3, padding=1), *norm, nn.ReLU()]
        channels = item
    return nn.Sequential(*layers)


def _features_of(weights: Path, network: nn.Sequential) -> Checkpoint:
    checkpoint = read_checkpoint(weights)
    begin = "features."
    tensors = {name.removeprefix(begin): value for name, value in checkpoint.tensors.items() if name.startswith(begin)}
    # Layers that are not used need not be loaded.
    tensors = {name: value for name, value in tensors.items() if int(name.split(".")[0]) < len(network)}
    # Counters that files from before PyTorch 0.4.1 lack and that are never used here.
    counters = {name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}
    return replace(checkpoint, tensors={**counters, **tensors} if tensors else checkpoint.tensors)
