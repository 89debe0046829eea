"""The costly part of a DUBLID layer on half spectra of real images, with gradients written by hand.

Automatic differentiation would run real transforms through complex ones of twice the size and keep a dozen images a
layer; here the adjoint of a real transform is a real transform, and four images are kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unblur.blur.fft import from_spectrum, power, spectrum
from unblur.solvers.proximal import soft_threshold

__all__ = ["filter_step", "scaled", "shrink", "to_spectrum"]


def to_spectrum(image: Tensor, frame: tuple[int, int]) -> Tensor:
    """The half spectrum `(..., h, w // 2 + 1)` of a real image, zeros added up to the frame (h, w)."""
    return _ToSpectrum.apply(image, frame)


def scaled(values: Tensor, factor: Tensor) -> Tensor:
    """A spectrum times real numbers; torch makes complex ones of them, which is quicker than to multiply parts."""
    return values * factor


def shrink(values: Tensor, threshold: Tensor) -> Tensor:
    """`soft_threshold` by a trained `threshold` `(1, c, 1, 1)`."""
    return _Shrink.apply(values, threshold)


def filter_step(
    seen: Tensor, sparse: Tensor, kernel: Tensor, *, zeta: Tensor, threshold: Tensor, frame: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One update of g and z for some filters, and what they say of the kernel.

    Args:
        seen: Spectra of the filtered photo, F `(B, c, h, f)`.
        sparse: Spectra of z from the layer before.
        kernel: Spectrum of the kernel, K `(B, 1, h, f)`.
        zeta: `(1, c, 1, 1)`.
        threshold: `(1, c, 1, 1)`.
        frame: (h, w).

    Returns:
        g as an image, the spectra of z = shrink(g), and the sums over c of conj(Z) F and |Z|².
    """
    return _FilterStep.apply(seen, sparse, kernel, zeta, threshold, frame)


class _ToSpectrum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, frame: tuple[int, int]) -> Tensor:
        ctx.size, ctx.frame = image.shape[-2:], frame
        return spectrum(image, frame)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        (gradient,) = grad_outputs
        image = _adjoint_to_spectrum(gradient, ctx.frame)
        return image[..., : ctx.size[0], : ctx.size[1]], None


class _Shrink(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, threshold: Tensor) -> Tensor:
        shrunk = soft_threshold(values, threshold)
        ctx.save_for_backward(shrunk)
        return shrunk

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor]:
        (gradient,) = grad_outputs
        (shrunk,) = ctx.saved_tensors
        signs = shrunk.sign()
        return gradient * signs.abs(), -(gradient * signs).sum((0, 2, 3))[None, :, None, None]


class _FilterStep(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917 - an autograd function takes no keywords
        ctx: Any,
        seen: Tensor,
        sparse: Tensor,
        kernel: Tensor,
        zeta: Tensor,
        threshold: Tensor,
        frame: tuple[int, int],
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        # the minimiser over g: (ζ conj(K) F + Z) / (ζ |K|² + 1)
        nearness = (zeta * power(kernel)).add_(1).reciprocal_()
        filtered = torch.addcmul(sparse, scaled(kernel.conj(), zeta), seen).mul_(nearness)
        latent = from_spectrum(filtered, frame)
        shrunk = soft_threshold(latent, threshold)
        thresholded = spectrum(shrunk)
        conjugate = thresholded.conj().resolve_conj()  # torch would make it anew for either product
        votes = (conjugate * seen).sum(1, keepdim=True)
        weights = (conjugate * thresholded).sum(1, keepdim=True).real
        ctx.frame = frame
        ctx.save_for_backward(seen, sparse, kernel, zeta, nearness, shrunk, thresholded)
        return latent, thresholded, votes, weights

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        to_latent, to_thresholded, to_votes, to_weights = grad_outputs
        seen, sparse, kernel, zeta, nearness, shrunk, thresholded = ctx.saved_tensors
        to_thresholded = to_thresholded + to_votes.conj() * seen
        to_thresholded += scaled(thresholded, 2 * to_weights)
        to_shrunk = _adjoint_to_spectrum(to_thresholded, ctx.frame)
        signs = shrunk.sign()
        to_threshold = -(to_shrunk * signs).sum((0, 2, 3))[None, :, None, None]
        to_filtered = _adjoint_from_spectrum(to_shrunk.mul_(signs.abs_()).add_(to_latent), ctx.frame)
        near = scaled(to_filtered, nearness)  # also the gradient of `sparse`
        direct = near.conj() * seen
        to_kernel = scaled(direct, zeta).sum(1, keepdim=True)
        # Re(conj(gradient) (ζ conj(K) F + Z)): what a change of the denominator does
        real_part = (direct * kernel.conj()).real
        to_denominator = -(zeta * real_part + _dot(near, sparse)) * nearness
        to_zeta = (real_part + to_denominator * power(kernel)).sum((0, 2, 3))[None, :, None, None]
        to_kernel += scaled(kernel, 2 * (to_denominator * zeta).sum(1, keepdim=True))
        to_seen = scaled(kernel, zeta) * near
        to_seen += to_votes * thresholded
        return to_seen, near, to_kernel, to_zeta, to_threshold, None


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (torch.view_as_real(a) * torch.view_as_real(b)).sum(-1)


def _adjoint_to_spectrum(gradient: Tensor, frame: tuple[int, int]) -> Tensor:
    return from_spectrum(scaled(gradient, 1 / _column_shares(gradient, frame)), frame)


def _adjoint_from_spectrum(gradient: Tensor, frame: tuple[int, int]) -> Tensor:
    transformed = spectrum(gradient)
    return scaled(transformed, _column_shares(transformed, frame))


def _column_shares(values: Tensor, frame: tuple[int, int]) -> Tensor:
    """By how much each stored column counts in the image: the inner ones stand for two."""
    height, width = frame
    shares = values.real.new_full((values.shape[-1],), 2 / (height * width))
    shares[0] /= 2
    if width % 2 == 0:
        shares[-1] /= 2
    return shares
