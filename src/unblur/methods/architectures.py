"""The networks of all methods, and weights loaded into them; error messages name networks as the methods do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unblur.methods.catalog import list_entries
from unblur.weights.architecture import Architecture, describe_weights

if TYPE_CHECKING:
    from torch.nn import Module

    from unblur.weights.checkpoint import Checkpoint

__all__ = ["describe_checkpoint", "known_architectures", "load_weights"]


def known_architectures() -> tuple[Architecture, ...]:
    """Those that the entries of the methods declare."""
    return tuple(known for entry in list_entries().values() for known in entry.architectures)


def describe_checkpoint(checkpoint: Checkpoint) -> str:
    """What network the weights belong to, for people."""
    return describe_weights(checkpoint, known_architectures())


def load_weights(network: Module, checkpoint: Checkpoint, *, expected: str) -> tuple[str, ...]:
    """Give a network of a method its weights, see `weights.loading.load_into`.

    Raises:
        CheckpointError: They are those of another network.
    """
    from unblur.weights.loading import load_into  # noqa: PLC0415 - torch

    return load_into(network, checkpoint, expected=expected, architectures=known_architectures())
