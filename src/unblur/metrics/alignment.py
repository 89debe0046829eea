"""Cropping and alignment of a pair under a protocol, so that any metric can be computed from it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import ShapeError, UsageError
from unblur.images.tensors import round_to_8_bits
from unblur.metrics.aligned_pair import AlignedPair
from unblur.metrics.homography import align_by_homography
from unblur.metrics.protocols import PROTOCOLS, Protocol
from unblur.metrics.residual import squared_error
from unblur.metrics.shift import align_by_shift
from unblur.metrics.wide_shift import align_by_wide_shift

__all__ = ["align_pair"]

_ANY_SIZE = ("shift", "kohler")


def align_pair(
    restored: Float[Tensor, "b c _h _w"],
    sharp: Float[Tensor, "b c _h2 _w2"],
    protocol: Protocol,
    views: Sequence[Tensor] = (),
) -> AlignedPair:
    """The pair cropped and aligned.

    Args:
        restored: Answers in [0, 1].
        sharp: Truths in [0, 1]; under `"shift"` and `"kohler"` the size may differ by a little.
        protocol: See `Protocol`.
        views: For `"kohler"`: all sharp images along the shake, each `(1, C, H, W)`; none: `sharp` alone.

    Raises:
        UsageError: No such protocol, or one that needs a library that is not installed.
        ShapeError: Other channels, another size, or too small for the protocol.
        ImageError: The pair cannot be aligned.
    """
    if protocol not in PROTOCOLS:
        raise UsageError(f"there is no protocol {protocol!r}; choose one of: {', '.join(PROTOCOLS)}")
    _check(restored, sharp, protocol)
    if protocol == "shift":
        return align_by_shift(restored, sharp)
    if protocol == "wide-shift":
        return align_by_wide_shift(restored, sharp)
    if protocol == "realblur":
        return align_by_homography(restored, sharp)
    if protocol == "kohler":
        return _closest_view(restored, views or [sharp])
    no_shift = torch.zeros(len(sharp), 2, dtype=torch.float64)
    return AlignedPair(round_to_8_bits(restored) if protocol == "gopro" else restored, sharp, no_shift)


def _closest_view(restored: Tensor, views: Sequence[Tensor]) -> AlignedPair:
    """The view with the least squared error after gain and shift.

    All metrics are computed from that one; the authors' script lets each metric choose its own.
    """
    best: AlignedPair | None = None
    least = float("inf")
    for view in views:
        _check(restored, view, "kohler")
        size = [min(a, b) for a, b in zip(restored.shape[-2:], view.shape[-2:], strict=True)]
        there, here = view[..., : size[0], : size[1]], restored[..., : size[0], : size[1]]
        sums = [(a * b).double().sum(dim=(1, 2, 3), keepdim=True) for a, b in ((there, here), (here, here))]
        aligned = align_by_shift(restored * (sums[0] / sums[1]).to(restored.dtype), view)
        error = float(squared_error(aligned.restored, aligned.sharp).sum())
        if best is None or error < least:
            best, least = aligned, error
    if best is None:
        raise UsageError("the protocol kohler needs a sharp view to compare with")
    return best


def _check(restored: Tensor, sharp: Tensor, protocol: Protocol) -> None:
    same = 2 if protocol in _ANY_SIZE else 4
    if restored.shape[:same] != sharp.shape[:same]:
        raise ShapeError(
            f"restored and sharp images are of one shape, not {tuple(restored.shape)} and {tuple(sharp.shape)}"
        )
