"""Names of pairs of the suite `photos`, without torch."""

from __future__ import annotations

__all__ = ["is_sharp_kind", "kind_of_pair"]


def kind_of_pair(name: str) -> str:
    """The kind that a pair of the suite is of: pairs are named KIND/PHOTO."""
    return name.partition("/")[0]


def is_sharp_kind(kind: str) -> bool:
    """Whether photos of the kind are sharp, so that nothing is there to be gained."""
    return kind.startswith("sharp")
