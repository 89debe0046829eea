"""The numbers of methods that are one network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

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
