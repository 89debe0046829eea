"""The numbers of `auto`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from unblur.errors import SettingsError

__all__ = ["AutoSettings"]


@dataclass(frozen=True)
class AutoSettings:
    """Settings of the method `auto`; the thresholds were chosen on synthetic photos made of BSDS500."""

    least_gain: Annotated[float, "Predicted gain in dB from which an answer is taken."] = 0.0
    caution: Annotated[
        float, "Standard deviations that are taken off a predicted gain before it is compared with least_gain."
    ] = 0.1
    second_caution: Annotated[float, "The same for what is predicted from refined answers."] = 0.7
    network: Annotated[
        str, "Method for blur that one kernel does not explain, used if its weights are here; empty: none."
    ] = "maxim"

    def __post_init__(self) -> None:
        for name in ("least_gain", "caution", "second_caution"):
            value = getattr(self, name)
            if not -100 < value < 100:
                raise SettingsError(f"{name} takes a number between -100 and 100, not {value}")
