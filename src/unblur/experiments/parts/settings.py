"""Settings of the experiments with the parts of restoration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from unblur.experiments.settings import check_at_least

__all__ = ["CombinationSettings"]


@dataclass(frozen=True)
class CombinationSettings:
    """Settings of `part-combinations`."""

    estimators: Annotated[str, "Methods that find the kernel, and known-kernel for the true one."] = (
        "known-kernel,map,dublid"
    )
    crops: Annotated[int, "Number of fixed crops of the Kodak photos, blurred by camera shake in linear light."] = 12
    size: Annotated[int, "Side of the crops in pixels."] = 256
    kernel_size: Annotated[int, "Side of the kernels in pixels, odd."] = 21

    def __post_init__(self) -> None:
        check_at_least(self, 1, "crops")
        check_at_least(self, 96, "size")
