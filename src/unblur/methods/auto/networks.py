"""The networks of `auto` in one file of weights."""

from __future__ import annotations

from torch import nn

from unblur.methods.architectures import load_weights
from unblur.methods.auto.judge import JUDGE_CONFIG, Judge
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.config import read_config

__all__ = ["AutoNetworks", "load_networks"]


class AutoNetworks(nn.Module):
    """What `auto` has learned: the judge of answers."""

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self.judge = judge


def load_networks(checkpoint: Checkpoint) -> AutoNetworks:
    """The networks with their weights.

    Raises:
        CheckpointError: Weights of another network.
    """
    config = read_config(checkpoint, JUDGE_CONFIG)
    networks = AutoNetworks(Judge(**config))
    load_weights(networks, checkpoint, expected="judge of restored photos")
    return networks.requires_grad_(False).eval()
