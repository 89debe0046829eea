"""Parameters of the networks that the documents count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import torch
from torch import nn

from unblur.backbones.dmphn import dmphn_1_2_4
from unblur.backbones.golf import first_shot, putt
from unblur.backbones.kernel_mlp import KernelMlp
from unblur.backbones.skipnet import image_prior
from unblur.experiments.golf.toy import ToyNetworks
from unblur.methods.dublid.model import Dublid
from unblur.methods.kernel_space.model import full_kernel_space
from unblur.methods.neurmap.discriminator import Discriminator
from unblur.methods.neurmap.motion import MotionNet

__all__ = ["NETWORKS", "count_parameters"]

NETWORKS: Mapping[str, Callable[[], nn.Module]] = {
    "dmphn": dmphn_1_2_4,
    "dublid grey": lambda: Dublid(in_channels=1),
    "dublid RGB": lambda: Dublid(in_channels=3),
    "golf F": first_shot,
    "golf G": putt,
    "kernel space": full_kernel_space,
    "kernel space, variational": lambda: full_kernel_space(variational=True),
    "neurmap D": Discriminator,
    "neurmap M": MotionNet,
    "selfdeblur image": image_prior,
    "selfdeblur kernel 27": lambda: KernelMlp((27, 27)),
    "toy": lambda: ToyNetworks(1, torch.Generator()),
}


@cache
def count_parameters(name: str, part: str = "") -> int:
    """Parameters of a network of `NETWORKS`, or of a part of it.

    Args:
        name: Which network.
        part: Name of a module in it, such as `head`; empty: the whole.
    """
    return sum(parameter.numel() for parameter in NETWORKS[name]().get_submodule(part).parameters())
