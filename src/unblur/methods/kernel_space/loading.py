"""A space of blurs from a file of weights."""

from __future__ import annotations

from typing import Any

from unblur.errors import CheckpointError
from unblur.methods.architectures import load_weights
from unblur.methods.kernel_space.filters import reduced_kernel_space
from unblur.methods.kernel_space.model import KernelSpace, full_kernel_space
from unblur.system.text import quote
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.config import read_config

__all__ = ["BUILDERS", "WINDOW", "load_kernel_space", "window_of"]

BUILDERS = {"full": full_kernel_space, "reduced": reduced_kernel_space}

_END = "kernel_extractor.model.16.weight"
"""Last weight of the extractor; a variational one has a deviation for each channel of the code as well."""
_LARGEST_WINDOW = 4096
_CODE = 512
"""Channels of the published code."""
WINDOW = 256
"""Side in pixels of the windows under weights that say nothing of it: that of the crops of the released training."""


def load_kernel_space(checkpoint: Checkpoint) -> KernelSpace:
    """The networks with their weights, which are fixed. Files without a configuration are released ones.

    Raises:
        CheckpointError: Weights of another network.
    """
    config = _config_of(checkpoint)
    size, variational = config["size"], config["variational"]
    if size not in BUILDERS:
        raise CheckpointError(f"has networks of a size {quote(size)}, which is not known here")
    network = BUILDERS[size](variational=variational, signed=config["signed"])
    words = f"the {size} kernel space{' (variational)' if variational else ''}"
    load_weights(network, checkpoint, expected=words)
    return network.eval().requires_grad_(False)


def window_of(checkpoint: Checkpoint) -> int:
    """The side in pixels of the windows that photos are cut into under these weights.

    Raises:
        CheckpointError: A side that no window has.
    """
    side = _config_of(checkpoint)["window"]
    if not 16 <= side <= _LARGEST_WINDOW:
        raise CheckpointError(f"asks for windows of {side} pixels; 16 to {_LARGEST_WINDOW} are possible")
    return side


def _config_of(checkpoint: Checkpoint) -> dict[str, Any]:
    defaults = {"size": "full", "variational": _is_variational(checkpoint), "signed": False, "window": WINDOW}
    return read_config(checkpoint, defaults)


def _is_variational(checkpoint: Checkpoint) -> bool:
    """Whether the end of the extractor has the width of the released variational networks."""
    return _END in checkpoint.tensors and len(checkpoint.tensors[_END]) == 2 * _CODE
