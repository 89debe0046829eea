"""How weights of `golf` are recognised."""

from __future__ import annotations

from unblur.weights.architecture import Architecture, Shapes

__all__ = ["FIRST_SHOT", "GOLF_OPTIMIZER"]

_HEADS = "first_shot.head.weight", "putt.head.weight"


def _describe_both(shapes: Shapes) -> str:
    first, then = (shapes[name][0] for name in _HEADS)
    return f"Golf Optimizer (first shot of {first} channels, putt of {then})"


def _describe_first_shot(shapes: Shapes) -> str:
    return f"the first shot of the Golf Optimizer ({shapes['head.weight'][0]} channels)"


GOLF_OPTIMIZER = Architecture("golf", (*_HEADS, "putt.layer4.1.branch.5.weight"), _describe_both)
FIRST_SHOT = Architecture(
    "golf-first-shot", ("head.weight", "layer4.1.branch.5.weight", "tail.weight"), _describe_first_shot
)
