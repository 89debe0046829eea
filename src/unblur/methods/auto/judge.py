"""The learned judge: from measures of an answer to how many dB it gains over the photo, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from unblur.methods.auto.measures import MEASURES

__all__ = ["JUDGE_CONFIG", "GainPrediction", "Judge", "best_of", "lower_bound", "share_of_answer"]

JUDGE_CONFIG: dict[str, Any] = {"members": 8, "width": 48}
"""Size of the judges that ship."""
_LEAST_SPREAD = 0.05
_UNLIKE = 4.5
"""Standard deviation in dB from which a prediction says nothing: the answer is like none that the judge has learned
from. None of those that it takes on 351 synthetic photos of BSDS500 reaches it."""
_DOUBT, _DOUBT_OF_LINES = 0.1, 0.3
"""Standard deviations that count against an answer when answers to one photo are compared; more for straight motion,
whose exact zeros make the worst answers where the motion was not straight."""
_PHOTO_AT_NONE, _FADES, _LEAST_SHARE = 0.7, 1.5, 0.7
"""Share of the photo where nothing is gained, the dB over which it falls by a factor of e, and the least share of the
answer. On 289 answers to synthetic photos of BSDS500: as much gained (+4.34, mixed +4.37 dB), 4 instead of 9 harmed by
more than 0.5 dB, and the worst -2.9 instead of -3.5 dB."""


class GainPrediction(NamedTuple):
    """Predicted gain in PSNR over the photo, and its standard deviation, in dB."""

    gain: float
    spread: float


def lower_bound(prediction: GainPrediction, caution: float) -> float:
    """The predicted gain less so many standard deviations, dB; minus infinity: the prediction says nothing."""
    gain, spread = prediction
    return gain - caution * spread if spread < _UNLIKE else -math.inf


def share_of_answer(prediction: GainPrediction) -> float:
    """Share of the answer in the image that is returned, from 0.7 to 1; the rest is the photo.

    The less is to be gained, the more of what an answer changes is wrong, and of that half a change costs a quarter.
    """
    return max(_LEAST_SHARE, 1 - _PHOTO_AT_NONE * math.exp(-prediction.gain / _FADES))


def best_of(predictions: Sequence[GainPrediction], lines: Sequence[bool] = ()) -> list[int]:
    """The places of all answers to a photo, the one to be taken first.

    Args:
        predictions: Their gains.
        lines: Which of them have a straight motion for their kernel; empty: none.
    """
    are_lines = lines or [False] * len(predictions)
    bounds = [
        lower_bound(prediction, _DOUBT_OF_LINES if is_line else _DOUBT)
        for prediction, is_line in zip(predictions, are_lines, strict=True)
    ]
    return sorted(range(len(bounds)), key=bounds.__getitem__, reverse=True)


class Judge(nn.Module):
    """Small networks side by side, each with two hidden layers; their disagreement is part of the uncertainty.

    Each predicts mean and spread of a normal distribution (Lakshminarayanan et al., NIPS 2017).

    Args:
        members: Number of networks.
        width: Width of their hidden layers.
        names: Of the measures, in the order of the inputs.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, members: int, width: int, names: Sequence[str] = MEASURES) -> None:
        super().__init__()
        self.names = tuple(names)
        self.register_buffer("centre", torch.zeros(len(names)))
        self.register_buffer("scale", torch.ones(len(names)))
        sizes = (len(names), width, width, 2)
        shapes = list(pairwise(sizes))
        self.weights = nn.ParameterList(torch.randn(members, a, b) / a**0.5 for a, b in shapes)
        self.biases = nn.ParameterList(torch.zeros(members, 1, b) for _, b in shapes)

    def forward(self, measures: Float[Tensor, "n f"]) -> Float[Tensor, "m n 2"]:
        """Mean and logarithm of the spread that each network predicts for each answer."""
        # A measure far outside of what was learned from says no more than one at its edge.
        hidden = ((measures - self.centre) / self.scale).clamp(-4, 4)[None]
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias, hidden.expand(len(weight), -1, -1), weight)
            if number + 1 < len(self.weights):
                hidden = nn.functional.silu(hidden)
        return hidden

    @torch.no_grad()
    def predict(self, answers: Sequence[Mapping[str, float]]) -> list[GainPrediction]:
        """The gain of each answer, from its measures by name.

        Raises:
            KeyError: A measure is missing.
        """
        rows = torch.tensor([[answer[name] for name in self.names] for answer in answers], dtype=self.centre.dtype)
        means, logs = self(rows).unbind(-1)
        variance = logs.exp().square().mean(0) + means.var(0, correction=0)
        spreads = variance.sqrt().clamp_min(_LEAST_SPREAD)
        return [GainPrediction(*values) for values in zip(means.mean(0).tolist(), spreads.tolist(), strict=True)]
