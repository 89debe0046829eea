"""Weights for methods that ship none yet: networks as a training begins with them, so that all around them is tried."""

from collections.abc import Callable
from functools import cache

import torch

from unblur.backbones.dmphn import dmphn_1_2_4
from unblur.backbones.mprnet import mprnet
from unblur.backbones.nafnet import nafnet_32
from unblur.methods.base import Method
from unblur.methods.catalog import CATALOG, load_method
from unblur.methods.golf.model import GolfOptimizer, first_shot, putt
from unblur.methods.kernel_space.model import reduced_kernel_space
from unblur.methods.neurmap.model import Neurmap
from unblur.weights.checkpoint import Checkpoint


@cache
def load_any(name: str) -> Method:
    """The method with its own weights; where none ship, with untrained ones."""
    entry = CATALOG[name]
    if not entry.takes_weights or entry.weights:
        return load_method(name)
    torch.manual_seed(0)
    network, metadata = NETWORKS[name]()
    return load_method(name, weights=Checkpoint("untrained", dict(network.state_dict()), metadata))


def golf() -> tuple[torch.nn.Module, dict[str, str]]:
    networks = GolfOptimizer(first_shot(), putt())
    for network in (networks.first_shot, networks.putt):
        torch.nn.init.normal_(network.tail.weight, std=0.002)
    return networks, {"arch": "golf"}


NETWORKS: dict[str, Callable[[], tuple[torch.nn.Module, dict[str, str]]]] = {
    "dmphn": lambda: (dmphn_1_2_4(), {}),
    "golf": golf,
    "kernel-space": lambda: (reduced_kernel_space(), {"arch_config": '{"size": "reduced"}'}),
    "mprnet": lambda: (mprnet(), {}),
    "nafnet": lambda: (nafnet_32(), {}),
    "neurmap": lambda: (Neurmap(), {}),
}
