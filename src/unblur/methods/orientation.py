"""Which way round a kernel is that the caller gives: tools differ in it, and pictures do not say."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from unblur.images.large import Image
from unblur.methods.base import Method
from unblur.methods.options import RestoreOptions
from unblur.methods.overlays import without_overlay
from unblur.solvers.sparsity import looks_turned

__all__ = ["settle_orientation"]

_TURNED = (
    "the kernel explains the photo clearly better when it is turned by 180 degrees, so it was used that way; "
    "turn its file to be rid of this warning"
)


def settle_orientation(blurry: Image, method: Method, options: RestoreOptions) -> tuple[RestoreOptions, str]:
    """The options with the kernel the way round that explains the first photo, and a warning if that is not as given.

    Args:
        blurry: `(B, C, H, W)`, sRGB-encoded, in [0, 1].
        method: One that does not use a kernel is not troubled.
        options: What the caller asks.
    """
    kernel = options.kernel_for(blurry)
    first = blurry[:1] if isinstance(blurry, Tensor) else blurry
    if kernel is None or "kernel" not in method.traits.uses or not looks_turned(without_overlay(first), kernel):
        return options, ""
    return replace(options, kernel=options.kernel[::-1, ::-1]), _TURNED
