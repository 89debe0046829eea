"""Settings of the experiments with printed text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from unblur.experiments.settings import check_at_least

__all__ = ["RecognitionSettings"]


@dataclass(frozen=True)
class RecognitionSettings:
    """Settings of `text-recognition`."""

    method: Annotated[str, "Method that restores."] = "auto"
    pages: Annotated[int, "Pages for each kind of blur."] = 8
    width: Annotated[int, "Width of a page in pixels; its height is two thirds of it."] = 768

    def __post_init__(self) -> None:
        check_at_least(self, 1, "pages")
        check_at_least(self, 150, "width")
