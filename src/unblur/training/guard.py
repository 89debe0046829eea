# pyright: reportPrivateImportUsage=false, reportPrivateUsage=false
"""Steps whose loss or gradient is not finite are skipped, without the host waiting for the device."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

__all__ = ["StepGuard", "step_if"]


class StepGuard(nn.Module):
    """Counts of skipped steps, on the device and stored with the run.

    Attributes:
        skipped: All skipped steps.
        in_a_row: Skipped steps since the last good one.
        last: Number of the last skipped step; -1: none.
    """

    skipped: Tensor
    in_a_row: Tensor
    last: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, value in (("skipped", 0), ("in_a_row", 0), ("last", -1)):
            self.register_buffer(name, torch.tensor(value))

    @torch.no_grad()
    def count(self, finite: Tensor, step: int) -> None:
        """Count step number `step`.

        Args:
            finite: One boolean, on the device.
            step: Counted from 0.
        """
        bad = (~finite).long()
        self.skipped += bad
        self.in_a_row.add_(1).mul_(bad)
        self.last.copy_(torch.where(finite, self.last, step))


def step_if(finite: Tensor, optimizer: Optimizer, step: Callable[[], Any]) -> None:
    """Take a step of the optimiser; if `finite` is false, weights and moments stay as they are.

    On the processor there is nothing to wait for, and a step without gradients does nothing. On a device the step is
    taken and then undone by arithmetic. What an optimiser counts on the processor meanwhile (Adam's steps, unless it is
    fused or capturable) counts on.

    Args:
        finite: One boolean, on the device of the weights.
        optimizer: Optimizer whose gradients have been computed.
        step: Takes the step.
    """
    if finite.device.type == "cpu":
        if not bool(finite):
            optimizer.zero_grad(set_to_none=True)
        step()
    else:
        undoable_step(finite, optimizer, step)


@torch.no_grad()
def undoable_step(finite: Tensor, optimizer: Optimizer, step: Callable[[], Any]) -> None:
    """`step_if` for devices."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"] if weight.grad is not None]
    for weight in weights:
        torch.nan_to_num_(weight.grad, nan=0.0, posinf=0.0, neginf=0.0)
        weight.grad.mul_(finite)
    before = {id(tensor): tensor.clone() for tensor in _tensors(weights, optimizer, finite.device)}
    step()
    after = _tensors(weights, optimizer, finite.device)
    kept = [before.get(id(tensor), torch.zeros_like(tensor)) for tensor in after]
    _choose(finite, after, kept)


def _tensors(weights: Iterable[Tensor], optimizer: Optimizer, device: torch.device) -> list[Tensor]:
    """All that a step changes: weights and the optimiser's state, which begins as zeros."""
    state = [value for weight in weights for value in optimizer.state.get(weight, {}).values()]
    return [*weights, *(value for value in state if isinstance(value, Tensor) and value.device == device)]


def _choose(finite: Tensor, after: list[Tensor], before: list[Tensor]) -> None:
    """Write the valid values into `after`; all are finite, because a bad gradient was set to zero."""
    for dtype in {tensor.dtype for tensor in after}:
        new = [tensor for tensor in after if tensor.dtype == dtype]
        old = [kept for tensor, kept in zip(after, before, strict=True) if tensor.dtype == dtype]
        # one call for all of them, as torch's optimisers have it
        torch._foreach_mul_(new, finite.to(dtype))
        torch._foreach_mul_(old, (~finite).to(dtype))
        torch._foreach_add_(new, old)
