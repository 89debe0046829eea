"""A space of blurs from a file of weights."""

from __future__ import annotations

import json
from typing import Any

from unblur.methods.kernel_space.model import KernelSpace, full_kernel_space, reduced_kernel_space
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.loading import load_into

__all__ = ["BUILDERS", "WINDOW", "load_kernel_space", "window_of"]

BUILDERS = {"full": full_kernel_space, "reduced": reduced_kernel_space}

_END = "kernel_extractor.model.16.weight"
"""Of the extractor; a variational one has a deviation for each channel of the code as well."""
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
    size, variational = config.get("size", "full"), config.get("variational", _is_variational(checkpoint))
    network = BUILDERS.get(size, full_kernel_space)(variational=variational, signed=config.get("signed", False))
    words = f"the {size} kernel space{' (variational)' if variational else ''}"
    load_into(network, checkpoint, expected=words)
    return network.eval().requires_grad_(False)


def window_of(checkpoint: Checkpoint) -> int:
    """The side in pixels of the windows that photos are cut into under these weights."""
    return int(_config_of(checkpoint).get("window", WINDOW))


def _config_of(checkpoint: Checkpoint) -> dict[str, Any]:
    return json.loads(checkpoint.metadata.get("arch_config", "{}"))


def _is_variational(checkpoint: Checkpoint) -> bool:
    """Told by the width at the end of the extractor: that of the released variational networks."""
    return _END in checkpoint.tensors and len(checkpoint.tensors[_END]) == 2 * _CODE
