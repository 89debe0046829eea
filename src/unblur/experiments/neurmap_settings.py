"""The numbers of NeurMAP's experiments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

__all__ = ["TableSettings"]


@dataclass(frozen=True)
class TableSettings:
    """Settings of `neurmap-table1`."""

    baseline: Annotated[str, "Weights of the method dmphn, trained on the same pairs for as many steps."] = (
        "runs/train/neurmap/pretrain/dmphn.safetensors"
    )
    weights: Annotated[str, "Weights of the method neurmap."] = "runs/train/neurmap/semi/neurmap.safetensors"
    data: Annotated[str, "Folder with neurmap/test in it; empty: where data sets are."] = ""
    limit: Annotated[int, "So many pairs, spread evenly; 0: all."] = 0
