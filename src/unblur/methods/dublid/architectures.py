"""How weights of `dublid` are recognised."""

from __future__ import annotations

from unblur.weights.architecture import Architecture, Shapes, count_names, name_colours

__all__ = ["UNROLLED_NETWORK"]


def _describe(shapes: Shapes) -> str:
    channels, colours = shapes["weight_list.0"][:2]
    layers = count_names(shapes, r"kernel_bias_list\.\d+")
    return f"DUBLID ({layers} layers, {channels} channels, {name_colours(colours)})"


UNROLLED_NETWORK = Architecture("dublid", ("weight_list.0", "kernel_bias_list.0", "prox_list.0"), _describe)
