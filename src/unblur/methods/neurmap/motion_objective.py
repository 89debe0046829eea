"""The motion network M alone, on pairs: a start for NeurMAP that is short of steps.

A batch holds `blurry` and `sharp`, each `(B, 3, H, W)` in [0, 1], with sides that are multiples of 16.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from unblur.losses.content import decibels
from unblur.methods.neurmap.motion import MotionNet, canonical
from unblur.methods.neurmap.motion_terms import Maps, motion_terms
from unblur.methods.neurmap.presets import PRESETS
from unblur.methods.neurmap.reblur import reblur

__all__ = ["MotionObjective"]

Batch = Mapping[str, Tensor]

_NOT_HERE = "motion_of_restored"
"""The term that draws what M sees in answers to what it sees in photos; a sharp photo has no such rest."""


class MotionObjective(nn.Module):
    """M's own terms with the true sharp photo as the answer: moved along what M sees, it must be the blurry photo.

    No true motion is needed. The released code, too, starts its training without pairs from an M that was trained
    before (after Zhang et al., "Exposure trajectory recovery from motion blur", TPAMI 2021).
    """

    def __init__(self) -> None:
        super().__init__()
        self.network = MotionNet()
        own = {name: weight for name, weight in PRESETS["code"].items() if name.startswith("motion_")}
        self.term_weights = {name: weight for name, weight in own.items() if name != _NOT_HERE}

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The terms, each a mean over the batch."""
        of_blurry, of_sharp = self._see(batch)
        return motion_terms(Maps(of_blurry, of_sharp, of_sharp), batch["blurry"], batch["sharp"])

    def project(self) -> None:
        """Nothing is bounded."""

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, Tensor]:
        """PSNR of the reblurred photo, and by how much it is nearer than the sharp one, in dB, each `(B,)`."""
        near, far = (decibels(image, batch["blurry"]) for image in (self._reblur(batch), batch["sharp"]))
        return {"reblurred_psnr": near, "reblurred_gain": near - far}

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Blurry, reblurred and sharp side by side `(B, 3, H, 3 W)`."""
        row = torch.cat((batch["blurry"], self._reblur(batch), batch["sharp"]), 3)
        return {"blurry, reblurred, sharp": row.clamp(0, 1)}

    def metadata(self) -> dict[str, str]:
        """What an exported file says of itself."""
        return {"method": "neurmap", "arch": "neurmap-motion"}

    def _see(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return canonical(self.network(batch["blurry"])), canonical(self.network(batch["sharp"]))

    def _reblur(self, batch: Batch) -> Tensor:
        of_blurry, of_sharp = self._see(batch)
        return reblur(batch["sharp"], of_blurry - of_sharp)
