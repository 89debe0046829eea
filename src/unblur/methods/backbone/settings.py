"""The numbers of methods that are one network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from unblur.errors import SettingsError

__all__ = ["DmphnSettings", "MaximSettings", "MprnetSettings", "NafnetSettings"]

_Precision = Annotated[
    Literal["auto", "float32", "bfloat16"],
    "Numbers inside the network; auto takes bfloat16 where the processor computes with them.",
]


@dataclass(frozen=True)
class DmphnSettings:
    """Settings of the method `dmphn`; see docs/backbones.md."""

    precision: _Precision = "auto"
    centred: Annotated[
        bool, "The network works on values from -0.5 to 0.5, as the released ones do; else from 0 to 1."
    ] = True


@dataclass(frozen=True)
class MaximSettings:
    """Settings of the method `maxim`; see docs/backbones.md."""

    precision: _Precision = "auto"
    scale: Annotated[
        float,
        "Share of the photo's sides at which it is restored, up to 1; 0: chosen by how much sharper its edges become.",
    ] = 0.0
    pixels: Annotated[int, "Where the scale is chosen: largest number of pixels to restore."] = 3_000_000

    def __post_init__(self) -> None:
        if not 0 <= self.scale <= 1:
            raise SettingsError(f"scale is from 0 (chosen) to 1 (the photo's own size), not {self.scale:g}")
        if self.pixels < 1:
            raise SettingsError(f"pixels is 1 or more, not {self.pixels}")


@dataclass(frozen=True)
class MprnetSettings:
    """Settings of the method `mprnet`; see docs/backbones.md."""

    precision: _Precision = "auto"


@dataclass(frozen=True)
class NafnetSettings:
    """Settings of the method `nafnet`; see docs/backbones.md."""

    precision: _Precision = "auto"
    pooling: Annotated[
        Literal["local", "global"],
        "Means over windows of 384 pixels, which the published numbers have, or over the whole photo.",
    ] = "local"
