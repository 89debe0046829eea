"""How weights of `auto` are recognised."""

from __future__ import annotations

from unblur.weights.architecture import Architecture, Shapes

__all__ = ["AUTO_NETWORKS"]

_JUDGE = "judge.weights.0"


def _describe(shapes: Shapes) -> str:
    members, measures, _ = shapes[_JUDGE]
    return f"judge of restored photos ({members} networks on {measures} measures)"


AUTO_NETWORKS = Architecture("auto", (_JUDGE, "judge.centre"), _describe)
