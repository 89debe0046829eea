"""The numbers of NeurMAP's experiments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

__all__ = ["AblationSettings", "MotionSettings", "TableSettings", "TrainingSettings", "WeightSettings"]


@dataclass(frozen=True)
class TableSettings:
    """Settings of `neurmap-table1`."""

    baseline: Annotated[str, "Weights of the method dmphn, trained on the same pairs for as many steps."] = (
        "runs/train/neurmap/pretrain/dmphn.safetensors"
    )
    weights: Annotated[str, "Weights of the method neurmap."] = "runs/train/neurmap/semi/neurmap.safetensors"
    data: Annotated[str, "Folder with neurmap/test in it; empty: where data sets are."] = ""
    limit: Annotated[int, "So many pairs, spread evenly; 0: all."] = 0


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of experiments that train."""

    recipe: Annotated[str, "Training beside pairs, whose losses are changed."] = "recipes/neurmap/semi.yaml"
    baseline: Annotated[str, "Weights of the method dmphn to start from; empty: the identity."] = (
        "runs/train/neurmap/pretrain/dmphn.safetensors"
    )
    motion: Annotated[str, "Weights of the motion network to start from; empty: from scratch."] = ""
    photos: Annotated[str, "Folder of sharp photos for the pairs; empty: those of the recipe."] = ""
    data: Annotated[str, "Folder with neurmap in it; empty: where data sets are."] = ""
    steps: Annotated[int, "Steps of each training; 0: those of the recipe."] = 0
    size: Annotated[int, "Side of the crops in pixels, a multiple of 16; 0: that of the recipe."] = 0
    limit: Annotated[int, "So many test pairs, spread evenly; 0: all."] = 0
    accelerator: Annotated[str, "What to train on: cpu, gpu or auto."] = "auto"
    folder: Annotated[str, "Where the trainings are kept, to go on with; empty: nowhere."] = ""


@dataclass(frozen=True)
class AblationSettings(TrainingSettings):
    """Settings of `neurmap-ablation`."""

    folder: Annotated[str, "Where the trainings are kept, to go on with; empty: nowhere."] = (
        "runs/experiment/neurmap-ablation/trainings"
    )


@dataclass(frozen=True)
class WeightSettings(TrainingSettings):
    """Settings of `neurmap-weights`."""

    folder: Annotated[str, "Where the trainings are kept, to go on with; empty: nowhere."] = (
        "runs/experiment/neurmap-weights/trainings"
    )


@dataclass(frozen=True)
class MotionSettings:
    """Settings of `neurmap-motion`."""

    weights: Annotated[str, "Weights of the method neurmap."] = "runs/train/neurmap/semi/neurmap.safetensors"
    data: Annotated[str, "Folder with neurmap/test in it; empty: where data sets are."] = ""
    limit: Annotated[int, "So many pairs, spread evenly; 0: all."] = 0
    shown: Annotated[int, "So many of them are drawn."] = 4
