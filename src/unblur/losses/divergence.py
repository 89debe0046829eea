"""Divergence of a distribution of codes from the standard normal one."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

__all__ = ["normal_divergence"]

_FLOOR = 1e-8
"""Keeps the logarithm finite where a deviation is 0."""


def normal_divergence(mean: Float[Tensor, "b c h w"], sigma: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Twice the Kullback-Leibler divergence of N(mean, sigma²) from N(0, 1), summed over the numbers of each code.

    Kingma and Welling (ICLR 2014), appendix B; sigma may have either sign.
    """
    mean, variance = mean.float(), sigma.float().square()
    return (mean.square() + variance - (variance + _FLOOR).log() - 1).sum((1, 2, 3))
