"""The entries of the catalogue of methods; nothing of a method is imported for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unblur.weights.architecture import Architecture

__all__ = ["Entry", "Role"]

Role = Literal["kernel estimator", "solver", "restorer", "copy"]
"""Finds the kernel, deconvolves with a given kernel, restores without one, or changes nothing."""


@dataclass(frozen=True)
class Entry:
    """One method. Its folder declares it in `entry.py`; the catalogue has a line for it.

    Attributes:
        summary: One line for people.
        role: What it does among the parts that can be combined.
        settings: Where its settings class is, `module:name`; that module must not import torch.
        method: Where its class is, `module:name`; called with the settings, and the `Checkpoint` if it takes weights.
        uses: The fields of `RestoreOptions` that it heeds, see `Traits.uses`.
        needs_torch: False: it works on stored pixels (`restore_picture`) and torch is never imported.
        finds: The blur that it returns: `nothing`, `kernel` or `motion field`.
        state: State in a few words, with its limits.
        takes_weights: Whether it is a trained method.
        weights: Name of the shipped weights that it has where the user names none; empty: there are none.
        architectures: How weights of its networks, and of their parts, are recognised.
        can_teach: Its answer can guide methods that are fitted to one photo.
        is_differentiable: Its answer has a gradient with respect to the photo.
        refiner: Where its learned prior is, `module:name`: called without arguments, it returns a `Refiner`; empty: it
            has none.
    """

    summary: str
    role: Role
    settings: str
    method: str
    uses: frozenset[str] = frozenset()
    needs_torch: bool = True
    finds: Literal["nothing", "kernel", "motion field"] = "nothing"
    state: str = "works"
    takes_weights: bool = False
    weights: str = ""
    architectures: tuple[Architecture, ...] = ()
    can_teach: bool = False
    is_differentiable: bool = False
    refiner: str = ""
