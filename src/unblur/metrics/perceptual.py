"""Distances by trained networks, through torchmetrics; nothing is ever downloaded here."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import UsageError
from unblur.system.extras import import_extra

__all__ = ["dists_vgg16", "lpips_alex"]

_ALEXNET = "alexnet-owt-7be5be79.pth"
_VGG16 = "vgg16-397923af.pth"


def lpips_alex(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """LPIPS v0.1 with AlexNet (Zhang et al., CVPR 2018); 0 is equal. Images in [0, 1], grey ones as three channels.

    Raises:
        UsageError: torchmetrics with torchvision, or the weights, are not on this machine.
    """
    distance = _find("LPIPS", "lpips", "learned_perceptual_image_patch_similarity")
    _need_weights("LPIPS", _ALEXNET)
    return _each(partial(distance, net_type="alex", normalize=True), restored, sharp)


def dists_vgg16(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """DISTS with VGG-16 (Ding et al., TPAMI 2022); 0 is equal. Images in [0, 1], grey ones as three channels.

    Raises:
        UsageError: torchmetrics with torchvision, or the weights, are not on this machine.
    """
    distance = _find("DISTS", "dists", "deep_image_structure_and_texture_similarity")
    _need_weights("DISTS", _VGG16)
    return _each(partial(distance, reduction="mean"), restored, sharp)


def _each(distance: Callable[[Tensor, Tensor], Tensor], restored: Tensor, sharp: Tensor) -> Tensor:
    """Image by image: torchmetrics averages over a batch."""
    pairs = zip(_as_rgb(restored).split(1), _as_rgb(sharp).split(1), strict=True)
    with torch.no_grad():
        return torch.stack([distance(a, b).double().reshape(()) for a, b in pairs])


def _as_rgb(image: Tensor) -> Tensor:
    return image.float().clamp(0, 1).expand(-1, 3, -1, -1)


def _find(label: str, module: str, name: str) -> Any:
    import_extra("torchvision", label)  # torchmetrics misses it only when it is called
    return getattr(import_extra(f"torchmetrics.functional.image.{module}", label), name)


def _need_weights(label: str, file: str) -> None:
    """Torchvision would download missing weights, which can hang; so they must be in its cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "torch"
    folder = Path(os.environ.get("TORCH_HOME") or cache) / "hub" / "checkpoints"
    if not (folder / file).is_file():
        raise UsageError(f"{label} needs torchvision's weights {file} in {str(folder)!r}; nothing is downloaded for it")
