"""A trained method as small as can be, for the ways that weights take to a method."""

import sys
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from unblur.methods.base import Restoration, Step, StepHook, Traits, ignore_step
from unblur.methods.catalog import CATALOG
from unblur.methods.entry import Entry
from unblur.methods.options import RestoreOptions
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.loading import load_into

__all__ = ["SCALE", "TinySettings", "TinyTrained", "enter_tiny", "tiny_weights"]

SCALE = 0.9


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

    def restore(self, blurry: Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration:
        on_step(Step(1.0, "done"))
        return Restoration(image=self.network(blurry))


def tiny_weights(scale: float = SCALE) -> dict[str, Tensor]:
    return {"scale": torch.tensor([scale])}


def enter_tiny(monkeypatch: pytest.MonkeyPatch, *, weights: str = "") -> None:
    """Put the method into the catalogue of this process, as `tiny`."""
    entry = Entry(
        summary="for tests",
        role="restorer",
        settings=f"{__name__}:TinySettings",
        method=f"{__name__}:TinyTrained",
        takes_weights=True,
        weights=weights,
    )
    monkeypatch.setattr(sys.modules[__name__], "TINY", entry, raising=False)
    monkeypatch.setitem(CATALOG, "tiny", f"{__name__}:TINY")
