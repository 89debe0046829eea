"""A variable that alternating directions split off: what the image makes of it, and what data or prior make of that."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["SplitVariable"]


class SplitVariable:
    """One variable of the alternating direction method of multipliers, with its scaled multiplier.

    Over-relaxed where `relaxation` is above 1: Eckstein and Bertsekas (Math. Prog. 1992).

    Args:
        start: Its value at first; the multiplier is zero.
        relaxation: From 1 to below 2.

    Attributes:
        value: What data or prior made of it.
    """

    def __init__(self, start: Tensor, relaxation: float = 1.0) -> None:
        self.value, self._relaxation = start, relaxation
        self._sum = start.clone()  # of value and multiplier, before the proximal map

    def update(self, new: Tensor, proximal_map: Callable[[Tensor], Tensor]) -> None:
        """Go on to what the image makes of it, and what the proximal map makes of that and the multiplier.

        Args:
            new: From the image.
            proximal_map: Makes a new tensor.
        """
        self._sum.add_(new - self.value, alpha=self._relaxation)
        self.value = proximal_map(self._sum)

    @property
    def wanted(self) -> Tensor:
        """What the image is to make of it: the value less the multiplier."""
        return torch.lerp(self._sum, self.value, 2.0)

    def scale_multiplier(self, factor: float) -> None:
        """Multiply the multiplier, such as when the penalty that it is in units of changes."""
        self._sum = torch.lerp(self.value, self._sum, factor)
