"""The numbers of deconvolution with a known kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from unblur.errors import SettingsError
from unblur.methods.settings import Choices
from unblur.solvers.names import DEFAULT_SOLVER, SOLVER_NAMES

__all__ = ["KnownKernelSettings"]


@dataclass(frozen=True)
class KnownKernelSettings:
    """Settings of the method `known-kernel`."""

    solver: Annotated[str, "How the photo is deconvolved.", Choices(SOLVER_NAMES)] = DEFAULT_SOLVER
    smoothness: Annotated[float, "1 suits the noise of the photo; higher is smoother, lower is sharper."] = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.smoothness < float("inf"):
            raise SettingsError(f"smoothness takes a number above 0, not {self.smoothness:g}")
