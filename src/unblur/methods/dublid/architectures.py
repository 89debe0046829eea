"""How weights of `dublid` are recognised."""

from __future__ import annotations

from unblur.weights.architecture import Architecture, Shapes, count_names, name_colours

__all__ = ["FIRST_FILTERS", "NETWORK_PAIR", "UNROLLED_NETWORK"]

FIRST_FILTERS = "weight_list.0"
_FIRST_OF_PAIR = tuple(f"{name}.{FIRST_FILTERS}" for name in ("motion", "linear"))


def _describe(shapes: Shapes) -> str:
    channels, colours = shapes[FIRST_FILTERS][:2]
    layers = count_names(shapes, r"kernel_bias_list\.\d+")
    return f"DUBLID ({layers} layers, {channels} channels, {name_colours(colours)})"


def _describe_pair(shapes: Shapes) -> str:
    channels, colours = shapes[_FIRST_OF_PAIR[0]][:2]
    return f"two of DUBLID, for camera shake and straight motion ({channels} channels, {name_colours(colours)})"


UNROLLED_NETWORK = Architecture("dublid", (FIRST_FILTERS, "kernel_bias_list.0", "prox_list.0"), _describe)
NETWORK_PAIR = Architecture("dublid-pair", _FIRST_OF_PAIR, _describe_pair)
"""`weights/dublid.safetensors`, whose networks the photo chooses among."""
