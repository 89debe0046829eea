"""What a network of the methods here is trained for on pairs.

A batch holds `blurry` and `sharp`, each `(B, 3, H, W)` in [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from unblur.backbones.dmphn import CENTRE, Dmphn
from unblur.losses.content import Content, content_loss
from unblur.methods.architectures import load_weights
from unblur.metrics.psnr import validation_psnr
from unblur.weights.shipped import read_weights

__all__ = ["DmphnObjective"]

Batch = Mapping[str, Tensor]


class DmphnObjective(nn.Module):
    """Content of a centred DMPHN; with the defaults, as it was trained when it was published.

    Args:
        levels: 3 for 1-2-4, 4 for 1-2-4-8.
        content: Kind of content term.
        start: Random weights, as it was published, or the identity, which short trainings need.
        start_weights: Weights to start from instead, by name or file; empty: from scratch.

    Raises:
        CheckpointError: No such file, or one of another network.
    """

    def __init__(
        self,
        levels: int = 3,
        *,
        content: Content = "mean-square",
        start: Literal["random", "identity"] = "random",
        start_weights: str = "",
    ) -> None:
        super().__init__()
        self.network = Dmphn(levels)
        if start == "identity":
            self.network.begin_as_identity()
        self.content, self.term_weights = content_loss(content), {"content": 1.0}
        if start_weights:
            load_weights(self.network, read_weights(start_weights), expected=f"DMPHN of {levels} levels")

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The terms, each a mean over the batch."""
        return {"content": self.content(self._restore(batch["blurry"]), batch["sharp"]).mean()}

    def project(self) -> None:
        """Nothing is bounded."""

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, Tensor]:
        """PSNR of the clamped answer and its gain in dB, each `(B,)`."""
        restored = self._restore(batch["blurry"]).clamp(0, 1)
        psnr, before = (validation_psnr(image, batch["sharp"]) for image in (restored, batch["blurry"]))
        return {"psnr": psnr, "gain": psnr - before}

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Blurry, restored and sharp side by side `(B, 3, H, 3 W)`."""
        row = torch.cat((batch["blurry"], self._restore(batch["blurry"]), batch["sharp"]), 3)
        return {"blurry, restored, sharp": row.clamp(0, 1)}

    def metadata(self) -> dict[str, str]:
        """What an exported file says of itself."""
        return {"method": "dmphn", "arch": "dmphn"}

    def _restore(self, blurry: Tensor) -> Tensor:
        return self.network(blurry - CENTRE) + CENTRE
