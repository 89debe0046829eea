"""Weights of the terms of NeurMAP's losses; nothing here imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from unblur.errors import SettingsError

__all__ = ["PRESETS", "Preset", "choose_weights"]

Preset = Literal["code", "paper", "unpaired"]
"""`code`: the last released settings for synthetic data; `paper`: as printed; `unpaired`: without any pair."""

_MAPS = {
    "motion_of_blurry": 1e-3,
    "motion_of_restored": 1e-3,
    "motion_of_sharp": 2e-3,
    "motion_smooth": 2e-3,
    "motion_hinge": 1.0,
    "motion_size": 0.0,
    "motion_reblur": 1.0,
    "motion_structure": 0.1,
}
"""Weights of the motion network's terms; the paper has one weight for all of these, the released code these."""

PRESETS: dict[str, dict[str, float]] = {
    "code": {
        **_MAPS,
        "discriminator": 1.0,
        "content": 100.0,
        "reblur": 100.0,
        "sharp": 0.5,
        "natural": 1.0,
        "restored_motion_smooth": 0.0,
        "image_smooth": 0.0,
        "blurred_sharp": 0.0,
    },
    "paper": {
        **_MAPS,
        "discriminator": 1.0,
        "content": 100.0,
        "reblur": 100.0,
        "sharp": 1.0,
        "natural": 0.1,
        "restored_motion_smooth": 1.0,
        "image_smooth": 0.0,
        "blurred_sharp": 0.0,
    },
    "unpaired": {
        **_MAPS,
        "motion_of_restored": 2e-3,
        "motion_size": 2e-4,
        "motion_reblur": 50.0,
        "discriminator": 1.0,
        "reblur": 50.0,
        "sharp": 0.5,
        "natural": 1.0,
        "restored_motion_smooth": 0.0,
        "image_smooth": 1.0,
        "blurred_sharp": 0.0,
    },
}


def choose_weights(preset: str, changes: Mapping[str, float]) -> dict[str, float]:
    """A preset with changes.

    Raises:
        SettingsError: A term that the preset does not have.
    """
    known = PRESETS[preset]
    for name in changes:
        if name not in known:
            raise SettingsError(f"the losses {preset} have no term {name!r}; their terms: {', '.join(known)}")
    return {**known, **changes}
