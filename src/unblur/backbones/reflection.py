"""Mirror images around features, however small they are."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Reflection"]


class Reflection(nn.Module):
    """A mirror image on each side; of features too small to have one, their outermost row or column again.

    Args:
        margin: Pixels on each side.
    """

    def __init__(self, margin: int = 1) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
        """Larger by twice the margin in height and width."""
        mode = "reflect" if min(features.shape[-2:]) > self.margin else "replicate"
        return F.pad(features, (self.margin,) * 4, mode=mode)
