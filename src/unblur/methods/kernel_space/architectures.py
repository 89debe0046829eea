"""How weights of `kernel-space` are recognised."""

from __future__ import annotations

from unblur.weights.architecture import Architecture, Shapes

__all__ = ["BLUR_OPERATOR"]

_CODE, _FEATURES = "kernel_extractor.model.16.weight", "feature_extractor.0.weight"
_LOWEST_LEVEL = "adapter.model.submodule.submodule.submodule.submodule.up.1.weight"
"""Weight at the lowest level of the U-net that puts a code into the features."""


def _describe(shapes: Shapes) -> str:
    width = shapes[_FEATURES][0]
    # The lowest level joins the features, eight times as wide as at the top, to the code.
    code = shapes[_LOWEST_LEVEL][0] - 8 * width
    variational = shapes[_CODE][0] == 2 * code
    return f"kernel space (width {width}, {code} channels of code{', variational' if variational else ''})"


BLUR_OPERATOR = Architecture("kernel-space", (_CODE, _FEATURES, _LOWEST_LEVEL), _describe)
