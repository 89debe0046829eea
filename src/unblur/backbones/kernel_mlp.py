"""The small network whose answer is always a blur kernel (Ren et al., CVPR 2020)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["KernelMlp"]

_SHARE_EVERYWHERE = 0.02
"""Light that a kernel to begin with leaves spread over the whole box, so that every pixel can still grow."""


class KernelMlp(nn.Module):
    """One hidden layer and a softmax: non-negative, sum 1, whatever the weights are.

    Args:
        size: Height and width of the kernel, odd.
        code: Length of the input.
        hidden: Width of the hidden layer.
    """

    def __init__(self, size: tuple[int, int], *, code: int = 200, hidden: int = 1000) -> None:
        super().__init__()
        self.size = size
        self.hidden = nn.Sequential(nn.Linear(code, hidden), nn.ReLU6())
        self.out = nn.Linear(hidden, size[0] * size[1])

    def forward(self, code: Float[Tensor, " n"]) -> Float[Tensor, "1 1 kh kw"]:
        """The kernel of a code."""
        return torch.softmax(self.out(self.hidden(code)), 0).view(1, 1, *self.size)

    @torch.no_grad()
    def start_from(self, kernel: Float[Tensor, "1 1 kh kw"], code: Float[Tensor, " n"]) -> None:
        """Set the weights so that the answer to this code is this kernel, with a little light everywhere.

        Softmax is undone by the logarithm, and the last layer has a bias for every pixel, so nothing has to be fitted.

        Args:
            kernel: Kernel of this network's size, sum 1.
            code: The input that it belongs to.
        """
        share = _SHARE_EVERYWHERE
        wanted = ((1 - share) * kernel + share / kernel.numel()).log().flatten()
        self.out.bias += wanted - self.out(self.hidden(code))
