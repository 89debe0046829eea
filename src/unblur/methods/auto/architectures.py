"""How weights of `auto` are recognised."""

from __future__ import annotations

from unblur.weights.architecture import Architecture, Shapes

__all__ = ["AUTO_NETWORKS"]

_JUDGE, _REFINER = "judge.weights.0", "refiner.head.weight"


def _describe(shapes: Shapes) -> str:
    members, measures, _ = shapes[_JUDGE]
    judge = f"judge of restored photos ({members} networks on {measures} measures)"
    return f"{judge} and refiner ({shapes[_REFINER][0]} channels)"


AUTO_NETWORKS = Architecture("auto", (_JUDGE, "judge.centre", _REFINER), _describe)
