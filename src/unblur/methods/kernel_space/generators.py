"""Parametrisations of the unknown image and the unknown code: untrained networks, or free numbers."""

from __future__ import annotations

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from unblur.backbones.reflection import Reflection

__all__ = ["SHRINKING", "CodeNetwork", "Free"]

SHRINKING = 32
"""How many times larger than the code the noise is on each side, of which the network makes it."""

_CHANNELS = 64
_HALVINGS = 5


class CodeNetwork(nn.Module):
    """Noise to a code: the end of the extractor, with a bias everywhere (34,787,264 weights for codes of 512 channels).

    Args:
        code: Channels of the code.
        blocks: Residual blocks at its end.
    """

    def __init__(self, code: int, blocks: int = 6) -> None:
        super().__init__()
        widths = [min(_CHANNELS * 2**level, code) for level in range(_HALVINGS + 1)]
        layers = [Reflection(3), nn.Conv2d(_CHANNELS, widths[0], 7), nn.ReLU()]
        for inner, outer in pairwise(widths):
            layers += [nn.Conv2d(inner, outer, 3, 2, 1), nn.ReLU()]
        self.layers = nn.Sequential(*layers, *(_Block(code) for _ in range(blocks)))

    def forward(self, noise: Float[Tensor, "b 64 h w"]) -> Float[Tensor, "b k gh gw"]:
        """The code, of a 32nd of the size."""
        return self.layers(noise)


class Free(nn.Module):
    """Numbers that are learned as they are.

    Args:
        start: What they are at first.
    """

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.value = nn.Parameter(start.clone())

    def forward(self, noise: Tensor, offset: Tensor | None = None) -> Tensor:
        """The numbers, whatever the noise and the offset."""
        del noise, offset
        return self.value


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        first, second = (nn.Conv2d(width, width, 3) for _ in range(2))
        self.inner = nn.Sequential(Reflection(), first, nn.ReLU(), Reflection(), second)

    def forward(self, code: Tensor) -> Tensor:
        return code + self.inner(code)
