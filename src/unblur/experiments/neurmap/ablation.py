"""Contribution of each part of NeurMAP: motion and reblurring, discriminator, blurry photos as natural (Table III)."""

from __future__ import annotations

from collections.abc import Mapping

from unblur.experiments.comparison import Comparison
from unblur.experiments.neurmap.arms import BASELINE, Arm, score_arms
from unblur.experiments.neurmap.scores import compare_gain, mean_psnr, tables_of
from unblur.experiments.neurmap.settings import AblationSettings
from unblur.experiments.result import ExperimentResult, Say
from unblur.methods.neurmap.presets import PRESETS

__all__ = ["ARMS", "run"]

_PRESET = "code"
_ALONE = "pairs alone"
_WITHOUT_DISCRIMINATOR = {"natural": 0.0, "discriminator": 0.0}
_WITHOUT_MOTION = {
    name: 0.0
    for name in PRESETS[_PRESET]
    if name.startswith("motion_") or name in {"reblur", "sharp", "restored_motion_smooth"}
}

ARMS: Mapping[str, Arm] = {
    _ALONE: Arm({**_WITHOUT_MOTION, **_WITHOUT_DISCRIMINATOR}),
    "Net1": Arm(_WITHOUT_MOTION, natural="sharp"),
    "Net2": Arm(_WITHOUT_DISCRIMINATOR),
    "Net3": Arm(natural="sharp"),
    "NeurMAP": Arm(),
}
"""All keep the content of the pairs; the first, which is not in the paper, has nothing else."""

_PARTS = {
    _ALONE: "neither, as many steps",
    "Net1": "discriminator, sharp photos natural",
    "Net2": "motion and reblurring",
    "Net3": "both, sharp photos natural",
    "NeurMAP": "both, sharp and blurry photos natural",
}
_PRINTED = {
    BASELINE: (23.51, 0.8187),
    "Net1": (18.99, 0.7035),
    "Net2": (21.94, 0.7409),
    "Net3": (23.65, 0.8280),
    "NeurMAP": (24.44, 0.8500),
}
"""PSNR in dB and SSIM."""


def run(settings: AblationSettings, say: Say) -> ExperimentResult:
    """One training for each net, from the same start and on the same samples."""
    scores = score_arms(ARMS, _PRESET, settings, say)
    means = {name: mean_psnr(values) for name, values in scores.items()}
    gains = {
        name: (values[0] - _PRINTED[BASELINE][0], means[name] - means[BASELINE]) for name, values in _PRINTED.items()
    }
    return ExperimentResult(
        title="Contribution of each part of NeurMAP (Table III)",
        figures={},
        tables=tables_of("ablation", scores, _PRINTED, "Table III", {"trained on pairs and": _PARTS}),
        comparisons=(
            *(compare_gain(f"PSNR of {name} against the baseline", *gains[name]) for name in gains if name != BASELINE),
            Comparison(
                "PSNR of NeurMAP against as many steps on pairs alone",
                "not printed",
                f"{means['NeurMAP'] - means[_ALONE]:+.2f} dB",
            ),
        ),
        notes=(
            f"{len(scores[BASELINE])} pairs; recipe {settings.recipe}, losses {_PRESET}; "
            "answers are rounded to 8 bits before they are scored.",
        ),
    )
