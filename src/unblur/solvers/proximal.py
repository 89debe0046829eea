"""Proximal maps of priors on gradients."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

__all__ = ["keep_strong", "shrink", "soft_threshold"]

_SERIES_TERMS = 4
"""Terms of the binomial series below, after the first: together with the two steps of the fixed point that they stand
for, off by at most a sixth of the threshold, near the jump, and far less above it."""


def soft_threshold(values: Float[Tensor, "*s"], threshold: float | Tensor) -> Float[Tensor, "*s"]:
    """What remains of each value after moving it towards zero by `threshold`, which broadcasts."""
    if isinstance(threshold, Tensor):  # torch clamps by tensors five times as slowly as it takes these two
        return values - torch.maximum(values, -threshold).minimum(threshold)
    return values - values.clamp(-threshold, threshold)


def shrink(values: Float[Tensor, "*s"], threshold: float, power: float = 1.0) -> Float[Tensor, "*s"]:
    """The minimiser over w of `(w - values)^2 / 2 + threshold * |w|^power`, elementwise.

    Soft threshold for power 1; below 1 the generalised soft threshold: Zuo et al. (ICCV 2013), Eq. 7 and 10.

    Args:
        values: Any real numbers.
        threshold: Not negative.
        power: Above 0, at most 1.
    """
    if power == 1:
        return soft_threshold(values, threshold)
    if threshold == 0:
        return values
    spread = (2 * threshold * (1 - power)) ** (1 / (2 - power))
    edge = spread + threshold * power * spread ** (power - 1)
    # With r = threshold * power * s^(power - 2), two steps of the fixed point from s = |values| end at
    # s (1 - r (1 - r)^(power - 1)). One power by way of the logarithm and a series cost a fifth of two powers, and
    # hardshrink a fortieth of choosing by a mask.
    loss = values.square().clamp_min_(edge**2).log2_().mul_((power - 2) / 2).exp2_().mul_(threshold * power)
    series = _binomial_series(loss, power - 1)
    return F.hardshrink(values, edge).mul_(series.mul_(loss).neg_().add_(1))


def _binomial_series(x: Tensor, power: float) -> Tensor:
    """`(1 - x)^power` for x in [0, 1), by Horner's rule."""
    total = x.new_ones(()).expand_as(x)
    for term in range(_SERIES_TERMS, 0, -1):
        total = (total * x).mul_((term - 1 - power) / term).add_(1)
    return total


def keep_strong(
    right: Float[Tensor, "b c h w"], down: Float[Tensor, "b c h w"], threshold: float | Tensor
) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b c h w"]]:
    """Gradients whose squared length is at least `threshold`; the others become zero.

    The proximal map of the number of non-zero gradients (L0): Xu et al. (SIGGRAPH Asia 2011), Eq. 12.
    """
    # As numbers, not as a mask: torch takes ten times as long to fill a mask.
    kept = right.square().addcmul_(down, down).ge_(threshold)
    return right * kept, down * kept
