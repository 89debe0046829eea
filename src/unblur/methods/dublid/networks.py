"""The networks of a file of weights: one of ours, the released one, or several that a photo chooses among."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from unblur.errors import CheckpointError
from unblur.methods.architectures import load_weights
from unblur.methods.dublid.architectures import FIRST_FILTERS
from unblur.methods.dublid.model import Dublid, FrameKind, Variant
from unblur.system.text import quote
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.config import read_config

__all__ = ["load_network", "load_networks"]

_MOST = {"channels": 256, "layers": 100, "in_channels": 3, "kernel_size": 255}
"""A file cannot ask for more."""
_SEVERAL = f".{FIRST_FILTERS}"


def load_networks(checkpoint: Checkpoint) -> Mapping[str, Dublid]:
    """The networks by name: `NAME.weight_list.0` belongs to NAME; where there is but one, its name is empty.

    Raises:
        CheckpointError: Weights of other networks.
    """
    names = [name.removesuffix(_SEVERAL) for name in checkpoint.tensors if name.endswith(_SEVERAL)]
    if not names:
        return {"": load_network(checkpoint)}
    return {name: load_network(_part(checkpoint, f"{name}.")) for name in names}


def load_network(checkpoint: Checkpoint) -> Dublid:
    """The network of a file that holds one.

    Raises:
        CheckpointError: Weights of another network.
    """
    network = Dublid(**_config(checkpoint))
    words = "colour" if network.in_channels == 3 else "grey"
    load_weights(
        network,
        checkpoint,
        expected=f"DUBLID with {network.layers} layers of {network.channels} channels, {words}",
    )
    return network


def _part(checkpoint: Checkpoint, beginning: str) -> Checkpoint:
    tensors = {
        name.removeprefix(beginning): tensor
        for name, tensor in checkpoint.tensors.items()
        if name.startswith(beginning)
    }
    return replace(checkpoint, tensors=tensors)


def _config(checkpoint: Checkpoint) -> dict[str, Any]:
    """What the network is built from; the released file does not say and is recognised by its first filters."""
    first = checkpoint.tensors.get(FIRST_FILTERS)
    colours = 3 if first is not None and first.ndim == 4 and first.shape[1] == 3 else 1
    config = read_config(checkpoint, {**Dublid().config(), "in_channels": colours})
    possible = all(1 <= config[name] <= most for name, most in _MOST.items()) and config["kernel_size"] % 2 == 1
    named = config["variant"] in get_args(Variant) and config["frame"] in get_args(FrameKind)
    if not possible or config["in_channels"] == 2 or not named:
        raise CheckpointError(f"asks for a network that there is not: its arch_config is {quote(config, 200)}")
    return config
