"""The sparse-gradient prior, of images by themselves or of the three colours of one image together.

Edges of photos are mostly edges of brightness; noise is in every colour its own. So the gradients of an RGB image are
rotated into brightness and two colour differences, in which they are sparsest, and each of these has a strength of its
own. The rotation is orthonormal, so clipped light and signs stay a matter of each colour: one problem has all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.solvers.proximal import shrink

__all__ = ["SparseGradients", "to_opponents"]

_OPPONENTS = ((3**-0.5,) * 3, (0.5**0.5, 0.0, -(0.5**0.5)), (6**-0.5, -2 * 6**-0.5, 6**-0.5))
"""Brightness, red against blue, both against green; orthonormal."""

Values = Float[Tensor, "b c h w"]


def to_opponents(colours: Float[Tensor, "3 n h w"]) -> Float[Tensor, "3 n h w"]:
    """Brightness times the root of 3, and both colour differences."""
    return _rotate(_matrix(colours), colours)


@dataclass(frozen=True)
class SparseGradients:
    """`strength * sum |v|^exponent` over the gradients v.

    Attributes:
        strengths: One, for a batch of images by themselves; or three, of the mean of the colours and of both colour
            differences of one image, whose colours are the batch.
        exponent: Above 0, at most 1.
    """

    strengths: tuple[float, ...]
    exponent: float

    @property
    def scale(self) -> float:
        """The strength that penalties are chosen for; of three that of the mean, so grey photos are solved alike."""
        return self.strengths[0]

    def proximal_map(self, penalty: float) -> Callable[[Values], Values]:
        """That of gradients which are split off under such a penalty."""
        thresholds = [strength / penalty for strength in self._rotated]
        if len(thresholds) == 1:
            return lambda values: shrink(values, thresholds[0], self.exponent)

        def shrink_opponents(values: Tensor) -> Tensor:
            matrix = _matrix(values)
            parts = zip(_rotate(matrix, values).split(1), thresholds, strict=True)
            return _rotate(matrix.T, torch.cat([shrink(part, threshold, self.exponent) for part, threshold in parts]))

        return shrink_opponents

    def value(self, gradients: Values) -> Tensor:
        """The prior of gradients in one direction, one number."""
        if len(self.strengths) == 1:
            return self.strengths[0] * gradients.abs().pow(self.exponent).sum()
        sums = to_opponents(gradients).abs().pow(self.exponent).flatten(1).sum(1)
        return (sums * sums.new_tensor(self._rotated)).sum()

    @property
    def _rotated(self) -> tuple[float, ...]:
        """Strengths in the rotated colours: brightness is the root of 3 times the mean, and its misfit 3 times."""
        first, *others = self.strengths
        return (first * 3 ** (1 - self.exponent / 2), *others) if others else (first,)


def _matrix(like: Tensor) -> Float[Tensor, "3 3"]:
    return torch.tensor(_OPPONENTS, dtype=like.dtype, device=like.device)


def _rotate(matrix: Tensor, colours: Tensor) -> Tensor:
    return torch.einsum("ij,jnhw->inhw", matrix, colours)
