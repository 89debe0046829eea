"""Proximal maps of priors on gradients."""

from __future__ import annotations

import math
from functools import cache

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

__all__ = ["keep_strong", "shrink", "soft_threshold"]

_TERMS = 4
_SMALLEST_RATIO = 0.02
"""Terms of the polynomial below, and down to which ratio it is fitted; it is off by half a percent of the threshold."""


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
    edge = _edge(power) * threshold ** (1 / (2 - power))
    kept = F.hardshrink(values, edge)
    # The share that is lost is a polynomial in 1 / sqrt |values|: powers by way of logarithms take three times as long.
    root = values.abs().clamp_min_(edge).rsqrt_()
    terms = [-term * edge ** (1 + degree / 2) for degree, term in enumerate(_loss_terms(power))]
    lost = root * terms[-1]
    for term in terms[-2::-1]:
        lost.add_(term).mul_(root)
    return kept.addcmul_(kept, lost.mul_(root))


def _edge(power: float) -> float:
    """The largest value that becomes zero, for threshold 1."""
    spread = (2 * (1 - power)) ** (1 / (2 - power))
    return spread + power * spread ** (power - 1)


@cache
def _loss_terms(power: float) -> tuple[float, ...]:
    """The c in `t (c0 + c1 t^(1/2) + c2 t + ...)`: the share of a value that it loses, t being the edge over the value.

    With r = threshold * power * s^(power - 2), two steps of the fixed point from s = |values| lose the share
    r (1 - r)^(power - 1): off by at most a sixth of the threshold, near the jump, and far less above it. As a function
    of t it is the same for all thresholds.
    """
    smallest, angles = _SMALLEST_RATIO**0.5, torch.linspace(0, math.pi, 200, dtype=torch.float64)
    roots = smallest + (1 - smallest) * (1 - angles.cos()) / 2  # more of them near the ends
    first = power * (_edge(power) / roots.square()) ** (power - 2)
    lost = first * (1 - first) ** (power - 1) / roots.square()
    powers = roots[:, None] ** torch.arange(_TERMS)
    return tuple(torch.linalg.lstsq(powers, lost[:, None]).solution[:, 0].tolist())


def keep_strong(
    right: Float[Tensor, "b c h w"], down: Float[Tensor, "b c h w"], threshold: float | Tensor
) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b c h w"]]:
    """Gradients whose squared length is at least `threshold`; the others become zero.

    The proximal map of the number of non-zero gradients (L0): Xu et al. (SIGGRAPH Asia 2011), Eq. 12.
    """
    # As numbers, not as a mask: torch takes ten times as long to fill a mask.
    kept = right.square().addcmul_(down, down).ge_(threshold)
    return right * kept, down * kept
