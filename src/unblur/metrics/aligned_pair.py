"""A pair of images that may be compared pixel by pixel."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

__all__ = ["AlignedPair"]


class AlignedPair(NamedTuple):
    """Restored and sharp images after the cropping and alignment of a protocol.

    Attributes:
        restored: `(B, C, h, w)`; black outside the mask.
        sharp: `(B, C, h, w)`; black outside the mask.
        shift: `(B, 2)`, (right, down) in pixels that was undone, float64: where the content of the truth was found in
            the restored image; after a homography that of the centre.
        mask: `(B, 1, h, w)`, 1 where the comparison counts, else 0; None: everywhere.
    """

    restored: Tensor
    sharp: Tensor
    shift: Tensor
    mask: Tensor | None = None
