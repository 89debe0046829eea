"""Names of the known-kernel solvers; nothing here imports torch."""

from __future__ import annotations

__all__ = ["DEFAULT_SOLVER", "SOLVER_NAMES"]

SOLVER_NAMES = ("hyper-laplacian", "tv", "wiener", "richardson-lucy")
DEFAULT_SOLVER = "hyper-laplacian"
