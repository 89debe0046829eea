"""Proximal maps: what a prior makes of a value when it is weighed against staying where it is."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["keep_strong", "shrink"]

_FIXED_POINT_STEPS = 2
"""Of the generalised threshold; two are off by at most a sixth of the threshold, near the jump, far less above it."""


def shrink(values: Float[Tensor, "*s"], threshold: float, power: float = 1.0) -> Float[Tensor, "*s"]:
    """The minimiser over w of `(w - values)^2 / 2 + threshold * |w|^power`, elementwise.

    Soft threshold for power 1; below 1 the generalised soft threshold: Zuo et al. (ICCV 2013), Eq. 7 and 10.

    Args:
        values: Any real numbers.
        threshold: Not negative.
        power: Above 0, at most 1.
    """
    if power == 1:
        return values - values.clamp(-threshold, threshold)
    if threshold == 0:
        return values
    spread = (2 * threshold * (1 - power)) ** (1 / (2 - power))
    edge = spread + threshold * power * spread ** (power - 1)
    size = values.abs()
    shrunk = size.clamp_min(edge)
    for _ in range(_FIXED_POINT_STEPS):
        shrunk = size.clamp_min(edge) - threshold * power * shrunk.pow(power - 1)
    return torch.where(size > edge, shrunk.copysign(values), 0.0)


def keep_strong(
    right: Float[Tensor, "b c h w"], down: Float[Tensor, "b c h w"], threshold: float | Tensor
) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b c h w"]]:
    """Gradients whose squared length is at least `threshold`; the others become zero.

    The proximal map of the number of non-zero gradients (L0): Xu et al. (SIGGRAPH Asia 2011), Eq. 12.
    """
    weak = right.square().addcmul_(down, down) < threshold
    return right.masked_fill(weak, 0), down.masked_fill(weak, 0)
