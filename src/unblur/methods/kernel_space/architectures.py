"""How weights of `kernel-space` are recognised."""

from __future__ import annotations

import math

from unblur.weights.architecture import Architecture, Shapes

__all__ = ["BLUR_FILTERS", "BLUR_OPERATOR"]

_CODE, _FEATURES = "kernel_extractor.model.16.weight", "feature_extractor.0.weight"
_LOWEST_LEVEL = "adapter.model.submodule.submodule.submodule.submodule.up.1.weight"
"""Weight at the lowest level of the U-net that puts a code into the features."""
_EXTRACTED, _DECODED, _FILTER = "kernel_extractor.2.weight", "filter_decoder.1.weight", "filter_decoder.3.bias"


def _describe(shapes: Shapes) -> str:
    width = shapes[_FEATURES][0]
    # The lowest level joins the features, eight times as wide as at the top, to the code.
    code = shapes[_LOWEST_LEVEL][0] - 8 * width
    return f"kernel space (width {width}, {_describe_code(code, shapes[_CODE][0])})"


def _describe_filters(shapes: Shapes) -> str:
    side, code = math.isqrt(shapes[_FILTER][0]), shapes[_DECODED][1]
    return f"kernel space (filters of {side}x{side}, {_describe_code(code, shapes[_EXTRACTED][0])})"


def _describe_code(code: int, extracted: int) -> str:
    return f"{code} channels of code{', variational' if extracted == 2 * code else ''}"


BLUR_OPERATOR = Architecture("kernel-space", (_CODE, _FEATURES, _LOWEST_LEVEL), _describe)
BLUR_FILTERS = Architecture("kernel-space", (_EXTRACTED, _DECODED, _FILTER), _describe_filters)
