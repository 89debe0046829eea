"""Weights for methods that ship none yet: networks as a training begins with them, so that all around them is tried.

Those of fixed size are built with few channels: what a method does around its network does not depend on them, and the
networks have tests of their own.
"""

from collections.abc import Callable
from functools import cache, partial

import pytest
import torch

from unblur.backbones import mprnet
from unblur.backbones.dmphn import dmphn_1_2_4
from unblur.backbones.maxim import Maxim
from unblur.backbones.nafnet import Nafnet
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
    with pytest.MonkeyPatch.context() as patch:
        for builder, narrow in NARROW.items():
            patch.setattr(f"unblur.methods.backbone.method.{builder}", narrow)
        network = NETWORKS[name]()
        return load_method(name, settings, Checkpoint("untrained", dict(network.state_dict())))


def narrow_mprnet() -> mprnet.Mprnet:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mprnet, "_WIDTHS", (8, 12, 16))
        patch.setattr(mprnet, "_WIDE", 12)
        return mprnet.Mprnet()


NARROW: dict[str, Callable[[], torch.nn.Module]] = {
    "maxim_3s": partial(Maxim, width=8),
    "mprnet": narrow_mprnet,
    "nafnet_32": partial(Nafnet, 8, encoder=(1, 1, 1, 2), middle=1, decoder=(1, 1, 1, 1)),
}
NETWORKS: dict[str, Callable[[], torch.nn.Module]] = {
    "dmphn": dmphn_1_2_4,
    "maxim": NARROW["maxim_3s"],
    "mprnet": narrow_mprnet,
    "nafnet": NARROW["nafnet_32"],
    "neurmap": Neurmap,
}
