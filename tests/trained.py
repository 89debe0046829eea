"""A trained method as small as can be, for the ways that weights take to a method."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from unblur.methods.base import Restoration, Step, Task, Traits
from unblur.methods.catalog import CATALOG, Entry
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.loading import load_into

__all__ = ["SCALE", "TinySettings", "TinyTrained", "enter_tiny", "tiny_weights"]

SCALE = 0.5


@dataclass(frozen=True)
class TinySettings:
    """No settings."""


class Network(nn.Module):
    """Multiplies by one number."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, blurry: Tensor) -> Tensor:
        return blurry * self.scale


class TinyTrained:
    """Darkens the photo by its one weight."""

    traits = Traits()

    def __init__(self, settings: TinySettings, checkpoint: Checkpoint) -> None:
        self.settings, self.checkpoint = settings, checkpoint
        self.network = Network()
        load_into(self.network, checkpoint, expected="the network of one number")

    def restore(self, blurry: Tensor, task: Task) -> Restoration:
        task.on_step(Step(1.0, "done"))
        return Restoration(image=self.network(blurry))


def tiny_weights(scale: float = SCALE) -> dict[str, Tensor]:
    return {"scale": torch.tensor([scale])}


def enter_tiny(monkeypatch: pytest.MonkeyPatch, *, weights: str = "") -> None:
    """Put the method into the catalogue of this process, as `tiny`."""
    entry = Entry(
        summary="for tests",
        settings=f"{__name__}:TinySettings",
        method=f"{__name__}:TinyTrained",
        takes_weights=True,
        weights=weights,
    )
    monkeypatch.setitem(CATALOG, "tiny", entry)
