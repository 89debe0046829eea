"""The training loop of experiments: a few steps on a processor, without checkpoints or validation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
from torch import Tensor

__all__ = ["train_briefly"]

Batch = TypeVar("Batch")


def train_briefly(
    optimiser: torch.optim.Optimizer,
    loss: Callable[[Batch], Tensor],
    batches: Iterable[Batch],
    *,
    learning_rate: Callable[[int], float] | None = None,
    precision: torch.dtype = torch.float32,
    after_step: Callable[[int, float], None] | None = None,
) -> None:
    """Take one step of an optimiser for each batch.

    Args:
        optimiser: Optimiser of the parameters.
        loss: Scalar loss of a batch.
        batches: Batches, as many as there are steps.
        learning_rate: Learning rate by step, from 0; None: that of the optimiser.
        precision: Precision of the loss: float32, or bfloat16 by autocast.
        after_step: Called after each step with its number, from 1, and the loss.
    """
    for step, batch in enumerate(batches):
        if learning_rate is not None:
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(step)
        optimiser.zero_grad()
        with torch.autocast("cpu", precision, enabled=precision == torch.bfloat16):
            value = loss(batch)
        value.backward()
        optimiser.step()
        if after_step is not None:
            after_step(step + 1, float(value.detach()))
