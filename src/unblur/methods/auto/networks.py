"""The networks of `auto` in one file of weights."""

from __future__ import annotations

import torch
from torch import nn

from unblur.methods.architectures import load_weights
from unblur.methods.auto.judge import JUDGE_CONFIG, Judge
from unblur.methods.auto.refined_measures import REFINED_MEASURES
from unblur.methods.auto.refiner import REFINER_CONFIG, AnswerRefiner
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.config import read_config

__all__ = ["AutoNetworks", "load_networks"]


class AutoNetworks(nn.Module):
    """What `auto` has learned: the judge of answers, the refiner of images, and the judge of refined images."""

    def __init__(self, judge: Judge, refiner: AnswerRefiner, second_judge: Judge) -> None:
        super().__init__()
        self.judge, self.refiner, self.second_judge = judge, refiner, second_judge


def load_networks(checkpoint: Checkpoint) -> AutoNetworks:
    """The networks with their weights.

    Raises:
        CheckpointError: Weights of another network.
    """
    config = read_config(checkpoint, {**JUDGE_CONFIG, **REFINER_CONFIG})
    of_judge, of_refiner = ({name: config[name] for name in names} for names in (JUDGE_CONFIG, REFINER_CONFIG))
    networks = AutoNetworks(Judge(**of_judge), AnswerRefiner(**of_refiner), Judge(**of_judge, names=REFINED_MEASURES))
    load_weights(networks, checkpoint, expected="judges of restored photos and refiner")
    # Convolutions are quickest with the channels of a pixel side by side: 0.46 in place of 0.67 s for a tile.
    networks.refiner.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return networks.requires_grad_(False).eval()
