"""The step of every training run: terms, weighted sum, gradients, a guarded step, the average."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam, Optimizer

from unblur.errors import SettingsError
from unblur.losses.objective import Objective
from unblur.training.averaging import MovingAverage
from unblur.training.guard import StepGuard, step_if
from unblur.training.schedules import Constant, Schedule
from unblur.training.streams import FAULTS

__all__ = ["SupervisedModule"]

_MIX = 1_000_003
"""Seeds of neighbouring runs and steps must not meet."""


class SupervisedModule(LightningModule):
    """Trains an objective.

    The step is written out here instead of being left to Lightning ("manual optimisation"), because on a GPU nothing in
    it may wait for a number. It draws its random numbers, if any, from a seed of its own, so that it can be repeated.

    Args:
        objective: What is trained; see `unblur.losses.objective.Objective`.
        optimizer: Makes the optimiser of the trainable weights.
        schedule: Learning rate over the steps.
        rate_factors: Weights with one of these words in their name learn so many times as fast.
        clip_norm: Longer gradients are shortened to this norm; 0: none is.
        ema_decay: Of the averaged weights, which are evaluated and exported.
        max_bad_steps: So many steps in a row without a finite loss and gradient end the run.
    """

    def __init__(
        self,
        objective: nn.Module,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer] = Adam,
        *,
        schedule: Schedule | None = None,
        rate_factors: dict[str, float] | None = None,
        clip_norm: float = 0.0,
        ema_decay: float = 0.999,
        max_bad_steps: int = 10,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.objective = _as_objective(objective)
        self.make_optimizer, self.schedule = optimizer, schedule or Constant()
        self.rate_factors = rate_factors or {}
        self.clip_norm, self.max_bad_steps = clip_norm or float("inf"), max_bad_steps
        self.average = MovingAverage(self.objective.network, ema_decay)
        self.guard = StepGuard()
        self.seed = 0
        self.numbers: dict[str, Tensor] = {}
        """Of the last step, on the device: the loss, its terms, the norm of the gradient."""

    def configure_optimizers(self) -> Optimizer:
        """The optimiser over all that has `requires_grad`."""
        objective = cast("nn.Module", self.objective)
        groups: dict[float, list[nn.Parameter]] = {1.0: []}
        for name, weight in objective.named_parameters():
            if weight.requires_grad:
                factor = next((factor for word, factor in self.rate_factors.items() if word in name), 1.0)
                groups.setdefault(factor, []).append(weight)
        optimizer = self.make_optimizer(groups[1.0])
        for factor, weights in groups.items():
            if factor != 1.0:
                optimizer.add_param_group({"params": weights, "lr": factor * optimizer.defaults["lr"]})
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        return optimizer

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> None:  # noqa: ARG002 - Lightning's signature
        """One step."""
        step = self.global_step
        torch.manual_seed(((self.seed * _MIX + step) * _MIX + self.global_rank) % 2**63)
        wrapped = cast("LightningOptimizer", self.optimizers())
        optimizer = wrapped.optimizer
        terms = cast("nn.Module", self.objective)({name: value for name, value in batch.items() if name != FAULTS})
        loss = self.total(terms)
        optimizer.zero_grad(set_to_none=True)
        self.manual_backward(loss)
        norm = clip_grad_norm_(
            [weight for group in optimizer.param_groups for weight in group["params"]], self.clip_norm
        )
        finite = self._agree(torch.isfinite(loss.detach()) & torch.isfinite(norm))
        self._set_rate(optimizer, step)
        step_if(finite, optimizer, wrapped.step)
        self.objective.project()
        self.average.update(self.objective.network, step)
        self.guard.count(finite, step)
        self.numbers = {
            "loss": loss.detach(),
            **{name: term.detach() for name, term in terms.items()},
            "gradient": norm,
        }

    def total(self, terms: dict[str, Tensor]) -> Tensor:
        """The weighted sum of the terms."""
        weights = self.objective.term_weights
        return torch.stack([weights[name] * term for name, term in terms.items() if name in weights]).sum()

    def rate(self, step: int) -> float:
        """The learning rate of the first group at a step."""
        optimizer = cast("LightningOptimizer", self.optimizers())
        return optimizer.param_groups[0]["initial_lr"] * self.schedule.factor(step)

    def _agree(self, finite: Tensor) -> Tensor:
        """Whether it is so for all processes: they must leave out the same steps."""
        return cast("Tensor", self.trainer.strategy.reduce(finite.float(), reduce_op="mean")) == 1

    def _set_rate(self, optimizer: Optimizer, step: int) -> None:
        factor = self.schedule.factor(step)
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor


def _as_objective(module: nn.Module) -> Objective:
    missing = [
        name
        for name in ("network", "term_weights", "project", "evaluate", "pictures", "metadata")
        if not hasattr(module, name)
    ]
    if missing:
        raise SettingsError(f"{type(module).__name__} is no objective to train for: it has no {', '.join(missing)}")
    return cast("Objective", module)
