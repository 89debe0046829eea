"""Weights for methods that ship none yet: networks as a training begins with them, so that all around them is tried."""

from collections.abc import Callable
from functools import cache

import torch

from unblur.backbones.dmphn import dmphn_1_2_4
from unblur.backbones.maxim import maxim_3s
from unblur.backbones.mprnet import mprnet
from unblur.backbones.nafnet import nafnet_32
from unblur.methods.base import Method
from unblur.methods.catalog import find_entry
from unblur.methods.loading import load_method
from unblur.methods.neurmap.model import Neurmap
from unblur.weights.checkpoint import Checkpoint


@cache
def load_any(name: str, **settings: object) -> Method:
    """The method with its own weights; where none ship, with untrained ones."""
    entry = find_entry(name)
    if not entry.takes_weights or entry.weights:
        return load_method(name, settings)
    torch.manual_seed(0)
    network, metadata = NETWORKS[name]()
    return load_method(name, settings, Checkpoint("untrained", dict(network.state_dict()), metadata))


NETWORKS: dict[str, Callable[[], tuple[torch.nn.Module, dict[str, str]]]] = {
    "dmphn": lambda: (dmphn_1_2_4(), {}),
    "maxim": lambda: (maxim_3s(), {}),
    "mprnet": lambda: (mprnet(), {}),
    "nafnet": lambda: (nafnet_32(), {}),
    "neurmap": lambda: (Neurmap(), {}),
}
