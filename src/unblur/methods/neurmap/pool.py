"""Running statistics of the motion maps of sharp photos."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["SharpPool"]


class SharpPool(nn.Module):
    """The mean size of the last maps of sharp photos, stored with a run.

    Only each map's own mean is kept, which is all that is ever asked for.

    Args:
        size: How many maps.
    """

    means: Tensor
    count: Tensor

    def __init__(self, size: int = 50) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(size, 2))
        self.register_buffer("count", torch.tensor(0))

    @torch.no_grad()
    def push(self, motion: Float[Tensor, "b 2 h w"]) -> None:
        """Add maps in order; the oldest are dropped."""
        means = motion.abs().mean((2, 3)).to(self.means)
        self.means.copy_(torch.cat((means.flip(0), self.means))[: len(self.means)])
        self.count.add_(len(means)).clamp_(max=len(self.means))

    def mean(self) -> Float[Tensor, " 2"]:
        """Mean size in each direction; 0 while there are none."""
        return self.means.sum(0) / self.count.clamp_min(1)
