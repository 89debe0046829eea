"""The step of every training run: terms, weighted sum, gradients, a guarded step, the average."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, cast

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam, Optimizer

from unblur.errors import SettingsError
from unblur.losses.objective import AdversarialObjective, Objective
from unblur.training.averaging import MovingAverage
from unblur.training.guard import StepGuard, step_if
from unblur.training.schedules import Constant, RateSchedule
from unblur.training.streams import FAULTS

__all__ = ["SupervisedModule"]

_MIX = 1_000_003
"""Keeps the seeds of neighbouring runs and steps apart."""


class SupervisedModule(LightningModule):
    """Trains an objective.

    The step is written out here instead of being left to Lightning ("manual optimisation"), because on a GPU nothing in
    it may wait for a number. Its random numbers, if any, come from a seed of its own, so that it can be repeated.

    Args:
        objective: What is trained; see `unblur.losses.objective.Objective`.
        optimizer: Makes the optimiser of the trainable weights.
        schedule: Learning rate over the steps.
        rate_factors: Multiplier of the learning rate of weights with this word in their name; the name of a weight of a
            player begins with the player's.
        clip_norm: Largest norm of the gradient, longer ones are scaled down; 0: no limit.
        ema_decay: Decay of the averaged weights, which are evaluated and exported.
        max_bad_steps: Steps in a row without a finite loss and gradient that end the run.
        accumulate: Parts that the batch of a step goes through the network in, one after another, before its one step:
            memory need hold one part only. What a loss or a layer makes of a whole batch, it makes of a part.

    Raises:
        SettingsError: The module is no objective, or learns in turns and is to accumulate.
    """

    def __init__(
        self,
        objective: nn.Module,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer] = Adam,
        *,
        schedule: RateSchedule | None = None,
        rate_factors: dict[str, float] | None = None,
        clip_norm: float = 0.0,
        ema_decay: float = 0.999,
        max_bad_steps: int = 10,
        accumulate: int = 1,
    ) -> None:
        super().__init__()
        if accumulate < 1:
            raise SettingsError(f"model.accumulate takes a whole number of 1 or more, not {accumulate}")
        if accumulate > 1 and isinstance(objective, AdversarialObjective):
            raise SettingsError("networks that learn in turns do so from whole batches; leave model.accumulate at 1")
        self.automatic_optimization = False
        self.objective = _as_objective(objective)
        self.make_optimizer, self.schedule = optimizer, schedule or Constant()
        self.rate_factors = rate_factors or {}
        self.clip_norm, self.max_bad_steps = clip_norm or float("inf"), max_bad_steps
        self.accumulate = accumulate
        self.average = MovingAverage(self.objective.network, ema_decay)
        self.guard = StepGuard()
        self.seed = 0
        self.numbers: dict[str, Tensor] = {}
        """Of the last step, on the device: loss and terms of this process's samples, and the norm of the gradient."""

    def configure_optimizers(self) -> list[Optimizer]:
        """An optimiser over all that has `requires_grad`; of an objective with players, one for each of them."""
        objective = cast("nn.Module", self.objective)
        if isinstance(objective, AdversarialObjective):
            return [self._optimizer_of(player, name) for name, player in objective.players.items()]
        return [self._optimizer_of(objective)]

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> None:  # noqa: ARG002 - Lightning's signature
        """One step."""
        step = self.global_step
        torch.manual_seed(((self.seed * _MIX + step) * _MIX + self.global_rank) % 2**63)
        samples = {name: value for name, value in batch.items() if name != FAULTS}
        optimizers = self._optimizers()
        all_terms: dict[str, Tensor] = {}
        are_finite: list[Tensor] = []
        for parts, wrapped in zip(self._turns(samples), optimizers, strict=True):
            wrapped.optimizer.zero_grad(set_to_none=True)
            terms, loss = self._gather(parts)
            # Lightning counts every step of an optimiser that it has wrapped; ours is the last player's.
            take = wrapped.step if wrapped is optimizers[-1] else wrapped.optimizer.step
            norm, finite = self._learn(loss, wrapped.optimizer, take, step)
            are_finite.append(finite)
            all_terms |= terms
            self.numbers = {"loss": loss, **all_terms, "gradient": norm}
        self.objective.project()
        self.average.update(self.objective.network, step)
        self.guard.count(torch.stack(are_finite).all(), step)

    def _turns(self, samples: dict[str, Tensor]) -> Iterator[Iterable[_Part]]:
        """What each player learns from, in parts that are computed when they are asked for."""
        objective = cast("nn.Module", self.objective)
        if isinstance(objective, AdversarialObjective):
            for terms in objective.turns(samples):
                yield [_Part(terms, 1.0)]
        else:
            yield (_Part(objective(part), share) for part, share in _divided(samples, self.accumulate))

    def _gather(self, parts: Iterable[_Part]) -> tuple[dict[str, Tensor], Tensor]:
        """Add up the gradients of all parts; the terms and the loss of the whole, without gradient."""
        gathered: dict[str, list[Tensor]] = {}
        losses: list[Tensor] = []
        for terms, share in parts:
            loss = self.total(terms) * share
            self.manual_backward(loss)
            losses.append(loss.detach())
            for name, term in terms.items():
                gathered.setdefault(name, []).append(term.detach() * share)
        return {name: torch.stack(terms).sum(0) for name, terms in gathered.items()}, torch.stack(losses).sum()

    def _learn(self, loss: Tensor, optimizer: Optimizer, take: Callable[[], Any], step: int) -> tuple[Tensor, Tensor]:
        """One player's step from its gradients; their norm, and whether all was finite."""
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        norm = clip_grad_norm_(weights, self.clip_norm)
        finite = self._agree(torch.isfinite(loss) & torch.isfinite(norm))
        self._set_rate(optimizer, step)
        step_if(finite, optimizer, take)
        return norm, finite

    def total(self, terms: dict[str, Tensor]) -> Tensor:
        """The weighted sum of the terms."""
        weights = self.objective.term_weights
        return torch.stack([weights[name] * term for name, term in terms.items() if name in weights]).sum()

    def rate(self, step: int) -> float:
        """The learning rate of the last player's first group at a step."""
        return self._optimizers()[-1].param_groups[0]["initial_lr"] * self.schedule.factor(step)

    def _optimizers(self) -> Sequence[LightningOptimizer]:
        made = self.optimizers()
        return cast("Sequence[LightningOptimizer]", made if isinstance(made, list) else [made])

    def _optimizer_of(self, player: nn.Module, name: str = "") -> Optimizer:
        groups: dict[float, list[nn.Parameter]] = {}
        for place, weight in player.named_parameters(name):
            if weight.requires_grad:
                factor = next((factor for word, factor in self.rate_factors.items() if word in place), 1.0)
                groups.setdefault(factor, []).append(weight)
        (first, weights), *others = sorted(groups.items(), key=lambda group: group[0] != 1.0)
        optimizer = self.make_optimizer(weights)
        rate = optimizer.param_groups[0]["lr"]
        optimizer.param_groups[0]["lr"] = first * rate
        for factor, further in others:
            optimizer.add_param_group({"params": further, "lr": factor * rate})
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        return optimizer

    def _agree(self, finite: Tensor) -> Tensor:
        """Whether it is so for all processes: they must leave out the same steps."""
        return cast("Tensor", self.trainer.strategy.reduce(finite.float(), reduce_op="mean")) == 1

    def _set_rate(self, optimizer: Optimizer, step: int) -> None:
        factor = self.schedule.factor(step)
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor


class _Part(NamedTuple):
    """The terms of a part of a batch, and which share of the samples it is."""

    terms: dict[str, Tensor]
    share: float


def _divided(samples: dict[str, Tensor], number: int) -> Iterator[tuple[dict[str, Tensor], float]]:
    """A batch in so many parts, or as many as it has samples, each with its share of them."""
    if number == 1:  # the batch may hold more than tensors with one row a sample
        yield samples, 1.0
        return
    parts = {name: values.tensor_split(min(number, len(values))) for name, values in samples.items()}
    count = len(next(iter(samples.values())))
    for place in range(min(number, count)):
        part = {name: pieces[place] for name, pieces in parts.items()}
        yield part, len(next(iter(part.values()))) / count


def _as_objective(module: nn.Module) -> Objective:
    missing = [
        name
        for name in ("network", "term_weights", "project", "evaluate", "pictures", "metadata")
        if not hasattr(module, name)
    ]
    if missing:
        raise SettingsError(f"{type(module).__name__} is no objective to train for: it has no {', '.join(missing)}")
    return cast("Objective", module)
