"""The weights of `auto` from what its trainings left in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from unblur.methods.auto.judge import JUDGE_CONFIG
from unblur.methods.auto.networks import AutoNetworks, load_networks
from unblur.methods.auto.refiner import REFINER_CONFIG, AnswerRefiner
from unblur.system.facts import commit
from unblur.weights.safe_file import write_checkpoint
from unblur.weights.shipped import read_weights

__all__ = ["JUDGE_FILE", "REFINER_FILE", "SECOND_JUDGE_FILE", "read_refiner", "read_start", "write_weights"]

NetworkT = TypeVar("NetworkT", bound=nn.Module)

JUDGE_FILE = "judge.pt"
REFINER_FILE = "refiner.pt"
SECOND_JUDGE_FILE = "second-judge.pt"
"""Files of the networks in the folder of the answers."""
_TRAINED_ON = "answers of the kernel search to synthetic photos of 19 kinds made of BSDS500 train"


def read_refiner(folder: Path) -> AnswerRefiner:
    """The refiner that was trained in the folder; where there is none, the one that ships, which is put there."""
    place = folder / REFINER_FILE
    if not place.exists():
        torch.save(load_networks(read_weights("auto")).refiner.state_dict(), place)
    network = AnswerRefiner(**REFINER_CONFIG)
    network.load_state_dict(torch.load(place, weights_only=True))
    return network.eval()


def read_start(start: str, new: NetworkT, shipped: Callable[[AutoNetworks], NetworkT]) -> NetworkT | None:
    """The network that a training goes on from, ready to learn; None: it starts anew.

    Args:
        start: Its file, "shipped", or empty.
        new: A network of the same kind, which takes the weights of a file.
        shipped: Picks it from those that ship.
    """
    if not start:
        return None
    if start == "shipped":
        return shipped(load_networks(read_weights("auto"))).requires_grad_().train()
    new.load_state_dict(torch.load(start, weights_only=True))
    return new


def write_weights(folder: Path, metrics: str) -> Path:
    """`auto.safetensors` in the folder, of its judges and its refiner; replaces an older one.

    Args:
        folder: Of the answers and of the networks.
        metrics: What was measured, one sentence for the file's description.
    """
    parts = {"judge": JUDGE_FILE, "refiner": REFINER_FILE, "second_judge": SECOND_JUDGE_FILE}
    tensors = {
        f"{part}.{name}": value
        for part, file in parts.items()
        for name, value in torch.load(folder / file, weights_only=True).items()
    }
    description = {
        "format_version": "1",
        "method": "auto",
        "arch": "auto",
        "arch_config": json.dumps({**JUDGE_CONFIG, **REFINER_CONFIG}),
        "licence": "Apache-2.0",
        "trained_on": _TRAINED_ON,
        "metrics": metrics,
        "commit": commit() or "unknown",
    }
    path = folder / "auto.safetensors"
    write_checkpoint(path, tensors, description, overwrite=True)
    return path
