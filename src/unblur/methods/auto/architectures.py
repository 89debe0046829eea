"""How weights of `auto` are recognised."""

from __future__ import annotations

from unblur.weights.architecture import Architecture, Shapes

__all__ = ["AUTO_NETWORKS"]

_JUDGE, _SECOND, _REFINER = "judge.weights.0", "second_judge.weights.0", "refiner.head.weight"


def _describe(shapes: Shapes) -> str:
    members, measures, _ = shapes[_JUDGE]
    judges = f"two judges of restored photos ({members} networks each, on {measures} and {shapes[_SECOND][1]} measures)"
    return f"{judges} and refiner ({shapes[_REFINER][0]} channels)"


AUTO_NETWORKS = Architecture("auto", (_JUDGE, "judge.centre", _REFINER, _SECOND), _describe)
