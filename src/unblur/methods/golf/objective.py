"""What the two networks are trained for: first F alone, then G on what F leaves.

A batch holds `blurry` and `sharp`, each `(B, 3, H, W)` in [0, 1].
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from unblur.backbones.golf import CONFIG, GolfNet, first_shot, putt
from unblur.losses.content import Content, content_loss
from unblur.losses.perceptual import PerceptualDistance, Reduction
from unblur.methods.architectures import load_weights
from unblur.methods.golf.model import GolfOptimizer
from unblur.methods.golf.symmetry import keep_symmetric, make_symmetric
from unblur.metrics.psnr import validation_psnr
from unblur.weights.config import read_config
from unblur.weights.shipped import read_weights

__all__ = ["FirstShotObjective", "PuttObjective", "balanced_weight"]

Batch = Mapping[str, Tensor]

_PART = "first_shot."
"""How the first network's tensors begin in a file of both."""

_LITERAL = 5e-6
"""λ as printed; it balances the terms where the squares of the features are summed up and content is not a mean of
values in [0, 1]. Only the ratio of the terms matters, see `balanced_weight`."""


class FirstShotObjective(nn.Module):
    """Stage 1: content and perceptual loss of F(y).

    Args:
        content: Kind of content term.
        vgg: File with the weights of VGG-11 (see `PerceptualDistance`); empty: no perceptual term.
        perceptual_weight: λ.
        reduction: How the perceptual term is summed up.
        skip: Add the image itself to the network's answer.
        unit_contrast: See `GolfNet`.
        symmetric: Turned and mirrored photos are treated alike (see `methods.golf.symmetry`).
        start_weights: Weights to start from, by name or file, its own or those of both networks; they then say skip and
            unit_contrast. Empty: from scratch.

    Raises:
        CheckpointError: No such weights, or those of another network.
    """

    def __init__(
        self,
        *,
        content: Content = "mean-square",
        vgg: str = "",
        perceptual_weight: float = _LITERAL,
        reduction: Reduction = "sum",
        skip: bool = True,
        unit_contrast: bool = False,
        symmetric: bool = False,
        start_weights: str = "",
    ) -> None:
        super().__init__()
        self.network: GolfNet = (
            _trained_first_shot(start_weights) if start_weights else first_shot(skip=skip, unit_contrast=unit_contrast)
        )
        self.symmetric = symmetric
        if symmetric:
            make_symmetric(self.network)
        self.loss = _Loss(content, vgg, reduction)
        self.term_weights = self.loss.weights(perceptual_weight)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The terms, each a mean over the batch."""
        return self.loss(self.network(batch["blurry"]), batch["sharp"])

    def project(self) -> None:
        """A symmetric network stays so; nothing else is bounded."""
        if self.symmetric:
            keep_symmetric(self.network)

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, Tensor]:
        """PSNR of the clamped answer, its gain, and PSNR of what becomes of the sharp image, in dB, each `(B,)`."""
        return _scores(self.network(batch["blurry"]), batch) | _kept(self.network(batch["sharp"]), batch)

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Blurry, restored and sharp side by side `(B, 3, H, 3 W)`."""
        return {"blurry, restored, sharp": _row(batch["blurry"], self.network(batch["blurry"]), batch["sharp"])}

    def metadata(self) -> dict[str, str]:
        """What an exported file says of itself."""
        return {"method": "golf", "arch": "golf-first-shot", "arch_config": _config_of(self.network)}


class PuttObjective(nn.Module):
    """Stage 2: mean loss of G applied 1 to N times to F(y), through all of them; F stays as it is.

    Both networks are exported together.

    Args:
        first_shot_weights: File with the weights of F; empty: F is the identity, for trying out.
        putts: N.
        symmetric: See `FirstShotObjective`, as for all others; here of G.
        content: See `FirstShotObjective`.
        vgg: See `FirstShotObjective`.
        perceptual_weight: See `FirstShotObjective`.
        reduction: See `FirstShotObjective`.

    Raises:
        CheckpointError: No such weights, or those of another network.
    """

    def __init__(
        self,
        first_shot_weights: str = "",
        *,
        putts: int = 5,
        symmetric: bool = False,
        content: Content = "mean-square",
        vgg: str = "",
        perceptual_weight: float = _LITERAL,
        reduction: Reduction = "sum",
    ) -> None:
        super().__init__()
        start = _trained_first_shot(first_shot_weights) if first_shot_weights else first_shot()
        second = putt(unit_contrast=start.unit_contrast)
        self.symmetric = symmetric
        if symmetric:
            make_symmetric(second)
        self.network = GolfOptimizer(start.requires_grad_(False), second, iters=putts)
        self.loss = _Loss(content, vgg, reduction)
        self.term_weights = self.loss.weights(perceptual_weight)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The terms, each a mean over the batch and over the N iterates."""
        _, *latents = self.network.iterates(batch["blurry"])
        losses = [self.loss(latent, batch["sharp"]) for latent in latents]
        return {name: torch.stack([loss[name] for loss in losses]).mean() for name in losses[0]}

    def project(self) -> None:
        """A symmetric network stays so; nothing else is bounded."""
        if self.symmetric:
            keep_symmetric(self.network.putt)

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, Tensor]:
        """Scores as in stage 1 of the last iterate, and its gain over the first shot, in dB."""
        start, *_, last = self.network.iterates(batch["blurry"])
        scores = _scores(last, batch) | _kept(self.network(batch["sharp"]), batch)
        return scores | {"putt_gain": scores["psnr"] - validation_psnr(start.clamp(0, 1), batch["sharp"])}

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Blurry, first shot, last iterate and sharp side by side `(B, 3, H, 4 W)`."""
        start, *_, last = self.network.iterates(batch["blurry"])
        return {"blurry, first shot, last putt, sharp": _row(batch["blurry"], start, last, batch["sharp"])}

    def metadata(self) -> dict[str, str]:
        """What an exported file says of itself."""
        return {"method": "golf", "arch": "golf", "arch_config": _config_of(self.network.first_shot)}


class _Loss(nn.Module):
    """The terms of one answer."""

    def __init__(self, content: Content, vgg: str, reduction: Reduction) -> None:
        super().__init__()
        self.content = content_loss(content)
        self.perceptual = PerceptualDistance(Path(vgg), reduction) if vgg else None

    def weights(self, perceptual_weight: float) -> dict[str, float]:
        return {"content": 1.0} if self.perceptual is None else {"content": 1.0, "perceptual": perceptual_weight}

    def forward(self, restored: Tensor, sharp: Tensor) -> dict[str, Tensor]:
        terms = {"content": self.content(restored, sharp).mean()}
        if self.perceptual is not None:
            terms["perceptual"] = self.perceptual(restored, sharp).mean()
        return terms


@torch.no_grad()
def balanced_weight(objective: FirstShotObjective | PuttObjective, batches: Iterable[Batch]) -> float:
    """The λ at which the perceptual term weighs as much as the content term, measured after some training without it.

    Args:
        objective: Objective with a perceptual term.
        batches: 50 say enough.
    """
    sums = {"content": 0.0, "perceptual": 0.0}
    for batch in batches:
        terms = objective(batch)
        sums = {name: total + float(terms[name]) for name, total in sums.items()}
    return sums["content"] / sums["perceptual"]


def _trained_first_shot(weights: str) -> GolfNet:
    checkpoint = read_weights(weights)
    network = first_shot(**read_config(checkpoint, CONFIG))
    own = {name.removeprefix(_PART): value for name, value in checkpoint.tensors.items() if name.startswith(_PART)}
    load_weights(network, replace(checkpoint, tensors=own) if own else checkpoint, expected="golf-first-shot")
    return network


def _config_of(first: GolfNet) -> str:
    return json.dumps({"skip": first.skip, "unit_contrast": first.unit_contrast})


def _scores(restored: Tensor, batch: Batch) -> dict[str, Tensor]:
    psnr = validation_psnr(restored.clamp(0, 1), batch["sharp"])
    return {"psnr": psnr, "gain": psnr - validation_psnr(batch["blurry"], batch["sharp"])}


def _kept(restored: Tensor, batch: Batch) -> dict[str, Tensor]:
    return {"sharp_psnr": validation_psnr(restored.clamp(0, 1), batch["sharp"])}


def _row(*images: Tensor) -> Tensor:
    return torch.cat([image.float().clamp(0, 1) for image in images], -1)
