"""The numbers of blind MAP deblurring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from unblur.errors import SettingsError
from unblur.methods.kernel_search.settings import SearchSettings
from unblur.methods.settings import Choices
from unblur.solvers.names import DEFAULT_SOLVER, SOLVER_NAMES

__all__ = ["MapSettings"]


@dataclass(frozen=True)
class MapSettings(SearchSettings):
    """Settings of the method `map`: those of the search, and how the final image is made."""

    second_pass: Annotated[
        bool, "Whether the best kernel goes through the finest levels once more, under a weaker prior."
    ] = True
    solver: Annotated[str, "How the final image is deconvolved.", Choices(SOLVER_NAMES)] = DEFAULT_SOLVER
    smoothness: Annotated[float, "Of the final image: 1 suits the noise of the photo, higher is smoother."] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.smoothness < float("inf"):
            raise SettingsError(f"smoothness takes a number above 0, not {self.smoothness:g}")
