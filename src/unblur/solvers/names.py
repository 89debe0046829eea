"""Names of the known-kernel solvers with a line about each; nothing here imports torch."""

from __future__ import annotations

__all__ = ["DEFAULT_SOLVER", "SOLVER_NAMES", "SOLVER_SUMMARIES"]

SOLVER_SUMMARIES = {
    "hyper-laplacian": "sparse gradients as photos have them, borders and clipped light unknown",
    "positive-light": "the same, and no light is negative: cleaner text and edges, four times slower",
    "tv": "total variation: flat areas between sharp edges",
    "wiener": "one linear filter: quickest, rings at strong edges",
    "richardson-lucy": "shot noise, a fixed number of steps",
}
SOLVER_NAMES = tuple(SOLVER_SUMMARIES)
DEFAULT_SOLVER = "hyper-laplacian"
