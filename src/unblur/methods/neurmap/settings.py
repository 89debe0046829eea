"""The numbers of the method `neurmap`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from unblur.errors import SettingsError

__all__ = ["NeurmapSettings"]


@dataclass(frozen=True)
class NeurmapSettings:
    """Settings of the method `neurmap`; see docs/neurmap.md.

    Raises:
        SettingsError: Fewer than no steps.
    """

    steps: Annotated[
        int,
        "Steps of descent after the network, towards an answer that is the photo again when it is moved along the "
        "motion that was seen; these are at half size, and a quarter as many follow at full size. 0: the network's "
        "answer alone.",
    ] = 20
    fusion: Annotated[
        bool,
        "After descent, a third network takes of its answer what can be trusted and of the first network's the rest, "
        "where the weights have one. false: the answer of descent as it is.",
    ] = True
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        "Numbers inside the networks; auto takes bfloat16 where the processor computes with them.",
    ] = "auto"

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise SettingsError(f"steps takes 0 or more, not {self.steps}")
