"""The weights of the sharpness prior, alpha, and of the discriminator, beta (Table IV)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from unblur.experiments.comparison import Comparison
from unblur.experiments.neurmap.arms import Arm, score_arms
from unblur.experiments.neurmap.scores import COLUMNS, Score, compare_gain, row_of, tables_of
from unblur.experiments.neurmap.settings import WeightSettings
from unblur.experiments.result import ExperimentResult, Say

__all__ = ["ARMS", "run"]

_DEFAULT, _ALPHA, _BETA = "alpha 1, beta 0.1", "alpha 2, beta 0.1", "alpha 1, beta 0.5"

ARMS: Mapping[str, Arm] = {_BETA: Arm({"natural": 0.5}), _ALPHA: Arm({"sharp": 2.0}), _DEFAULT: Arm()}
"""Changes to the weights that the paper prints."""

_PRINTED = {
    _BETA: (22.16, 0.7558, 3.493),
    _ALPHA: (21.42, 0.7312, 3.095),
    _DEFAULT: (24.44, 0.8500, 3.174),
}
"""PSNR in dB, SSIM, NIQE."""
_CLAIMS = (
    ("too much of the discriminator costs PSNR", _BETA, 0),
    ("too much of the sharpness prior costs PSNR", _ALPHA, 0),
    ("too much of the sharpness prior lowers NIQE", _ALPHA, 2),
)
"""Claim, weights and column, always against the default."""


def run(settings: WeightSettings, say: Say) -> ExperimentResult:
    """One training for each choice of weights, from the same start and on the same samples."""
    scores = score_arms(ARMS, "paper", settings, say)
    return ExperimentResult(
        title="The weights of NeurMAP's priors (Table IV)",
        figures={},
        tables=tables_of("weights", scores, _PRINTED, "Table IV"),
        comparisons=tuple(_compare(claim, name, column, scores) for claim, name, column in _CLAIMS),
        notes=(
            f"{len(scores[_DEFAULT])} pairs; recipe {settings.recipe}, losses as printed; "
            "which printed row has which weights follows from the text. LPIPS is not measured.",
        ),
    )


def _compare(claim: str, name: str, column: int, scores: Mapping[str, Sequence[Score]]) -> Comparison:
    printed = _PRINTED[name][column] - _PRINTED[_DEFAULT][column]
    unit = COLUMNS[column] if column else "dB"
    changed, default = (row_of(arm, scores[arm])[1 + column] for arm in (name, _DEFAULT))
    if changed is None or default is None:
        return compare_gain(claim, printed, None, unit, "the photos are too small for NIQE")
    return compare_gain(claim, printed, cast("float", changed) - cast("float", default), unit)
