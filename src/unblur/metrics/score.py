"""Scores of restored images under a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from unblur.metrics.aligned_pair import AlignedPair
from unblur.metrics.alignment import align_pair
from unblur.metrics.ms_ssim import ms_ssim_gaussian_valid
from unblur.metrics.protocols import Protocol
from unblur.metrics.psnr import psnr
from unblur.metrics.residual import spectral_error, squared_error
from unblur.metrics.ssim import (
    ssim_3d_matlab,
    ssim_gaussian_valid,
    ssim_gaussian_valid_subsampled,
    ssim_terms_gaussian_valid,
)

__all__ = ["Scores", "score", "score_aligned"]


class Scores(NamedTuple):
    """Scores of each image of a batch, all float64.

    Attributes:
        psnr: dB, over all channels, data range 1.
        ssim: SSIM in the variant that belongs to the protocol, see `Protocol`.
        shift: `(B, 2)`, (right, down) in pixels that was undone; zero where nothing is aligned.
        squared_error: Sum of squared differences over what was compared.
        spectral_error: Largest singular value of the difference.
    """

    psnr: Tensor
    ssim: Tensor
    shift: Tensor
    squared_error: Tensor
    spectral_error: Tensor


def score(
    restored: Float[Tensor, "b c _h _w"],
    sharp: Float[Tensor, "b c _h2 _w2"],
    protocol: Protocol,
    views: Sequence[Tensor] = (),
) -> Scores:
    """The scores of restored images under a protocol; arguments and errors as for `align_pair`."""
    return score_aligned(align_pair(restored, sharp, protocol, views), protocol)


def score_aligned(pair: AlignedPair, protocol: Protocol) -> Scores:
    """The scores of a pair that was aligned under `protocol`."""
    return Scores(
        _psnr_inside(pair),
        _ssim(pair, protocol),
        pair.shift,
        squared_error(pair.restored, pair.sharp),
        spectral_error(pair.restored, pair.sharp),
    )


def _psnr_inside(pair: AlignedPair) -> Tensor:
    values = psnr(pair.restored, pair.sharp, data_range=1.0)
    if pair.mask is None:
        return values
    # outside the mask both images are black: the error is the same, the count smaller
    return values + 10 * pair.mask.double().mean(dim=(1, 2, 3)).log10()


def _ssim(pair: AlignedPair, protocol: Protocol) -> Tensor:
    restored, sharp = pair.restored, pair.sharp
    if pair.mask is not None:
        return _ssim_inside(restored, sharp, pair.mask)
    if protocol == "kohler":
        return ms_ssim_gaussian_valid(restored, sharp, data_range=1.0)
    if protocol == "gopro":
        return ssim_3d_matlab(restored, sharp, data_range=1.0)
    if protocol == "shift" and sharp.shape[1] == 1:
        return ssim_gaussian_valid_subsampled(restored, sharp, data_range=1.0)
    return ssim_gaussian_valid(restored, sharp, data_range=1.0)


def _ssim_inside(restored: Tensor, sharp: Tensor, mask: Tensor) -> Tensor:
    """The map of the Gaussian SSIM, averaged over the pixels of the mask."""
    luminance, structure = ssim_terms_gaussian_valid(restored, sharp, data_range=1.0)
    top, left = ((whole - part) // 2 for whole, part in zip(mask.shape[-2:], luminance.shape[-2:], strict=True))
    inside = mask[..., top : mask.shape[-2] - top, left : mask.shape[-1] - left].double()
    sums = (luminance * structure * inside).sum(dim=(2, 3))
    return (sums / inside.sum(dim=(2, 3))).mean(dim=1)
