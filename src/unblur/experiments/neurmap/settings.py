"""Settings of NeurMAP's experiments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

__all__ = ["AblationSettings", "MotionSettings", "TableSettings", "TrainingSettings", "WeightSettings"]

_BASELINE = "runs/train/neurmap/pretrain/dmphn.safetensors"


@dataclass(frozen=True)
class TableSettings:
    """Settings of `neurmap-table1`."""

    baseline: Annotated[str, "Weights of the method dmphn, trained on the same pairs for as many steps."] = _BASELINE
    weights: Annotated[str, "Weights of the method neurmap, by name or file."] = "neurmap"
    data: Annotated[str, "Folder that holds neurmap/test; empty: that of UNBLUR_DATA."] = ""
    limit: Annotated[int, "Number of pairs, spread evenly; 0: all."] = 0


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of experiments that train."""

    recipe: Annotated[str, "Recipe of a training on pairs and unpaired photos, whose losses are changed."] = (
        "recipes/neurmap/semi.yaml"
    )
    baseline: Annotated[str, "Initial weights of the method dmphn; empty: the identity."] = _BASELINE
    motion: Annotated[str, "Initial weights of the motion network; empty: random ones."] = ""
    photos: Annotated[str, "Folder of sharp photos for the pairs; empty: those of the recipe."] = ""
    data: Annotated[str, "Folder that holds neurmap; empty: that of UNBLUR_DATA."] = ""
    steps: Annotated[int, "Steps of each training; 0: those of the recipe."] = 0
    size: Annotated[int, "Side of the crops in pixels, a multiple of 16; 0: that of the recipe."] = 0
    limit: Annotated[int, "Number of test pairs, spread evenly; 0: all."] = 0
    accelerator: Annotated[str, "Device to train on: cpu, gpu or auto."] = "auto"
    folder: Annotated[str, "Folder of the trainings, which a later run continues; empty: none is kept."] = ""


@dataclass(frozen=True)
class AblationSettings(TrainingSettings):
    """Settings of `neurmap-ablation`."""

    folder: Annotated[str, "Folder of the trainings, which a later run continues; empty: none is kept."] = (
        "runs/experiment/neurmap-ablation/trainings"
    )


@dataclass(frozen=True)
class WeightSettings(TrainingSettings):
    """Settings of `neurmap-weights`."""

    folder: Annotated[str, "Folder of the trainings, which a later run continues; empty: none is kept."] = (
        "runs/experiment/neurmap-weights/trainings"
    )


@dataclass(frozen=True)
class MotionSettings:
    """Settings of `neurmap-motion`."""

    weights: Annotated[str, "Weights of the method neurmap, by name or file."] = "neurmap"
    data: Annotated[str, "Folder that holds neurmap/test; empty: that of UNBLUR_DATA."] = ""
    limit: Annotated[int, "Number of pairs, spread evenly; 0: all."] = 0
    shown: Annotated[int, "Number of pairs in the figure."] = 4
