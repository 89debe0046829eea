"""The numbers of the method `neurmap`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

__all__ = ["NeurmapSettings"]


@dataclass(frozen=True)
class NeurmapSettings:
    """Settings of the method `neurmap`; see docs/neurmap.md."""

    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        "Numbers inside the networks; auto takes bfloat16 where the processor computes with them.",
    ] = "auto"
