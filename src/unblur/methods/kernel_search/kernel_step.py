"""The kernel, given the latent image: non-negative least squares in the gradient domain, then tidying up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Complex, Float
from torch import Tensor

from unblur.blur.fft import from_spectrum, good_size, kernel_spectrum, multiply_conjugate, power, spectrum
from unblur.blur.kernels import centre_kernel
from unblur.images.labels import label_parts
from unblur.solvers.descent import AcceleratedDescent
from unblur.solvers.differences import difference_power

__all__ = [
    "RIDGE",
    "Gradients",
    "NormalEquations",
    "drop_faint",
    "fit_kernel",
    "normal_equations",
    "resize_kernel",
    "tidy_kernel",
]

RIDGE = 2.0
_SMOOTHNESS = 10.0
"""Weights of |kernel|^2 and |grad kernel|^2 against squared gradients of an image in [0, 1]."""
_DESCENT_STEPS = 20
_LEAST = 1e-9
"""Light of an image without any edge, so that nothing is divided by zero."""
_SMALLEST_PART = 0.1
"""Connected parts of a kernel with a smaller share of its light are taken for noise."""

Kernels = Float[Tensor, "b 1 kh kw"]
Spectra = Complex[Tensor, "b c fh fw"]
Ridge = float | Float[Tensor, "b 1 1 1"]


@dataclass(frozen=True)
class Gradients:
    """Spectra of an image's two gradients on one frame."""

    right: Spectra
    down: Spectra

    @classmethod
    def of(cls, right: Tensor, down: Tensor) -> Gradients:
        """Spectra of the gradients."""
        return cls(spectrum(right), spectrum(down))


def fit_kernel(
    latent: Gradients,
    blurry: Gradients,
    start: Kernels,
    size: tuple[int, int],
    weight: Float[Tensor, "b 1 fh fw"] | None = None,
    *,
    ridge: Ridge = RIDGE,
) -> Kernels:
    """The kernel k >= 0 that minimises `|k * grad x - grad y|^2` plus a ridge and a smoothness term.

    The normal equations of the small kernel box are Toeplitz: they are formed once from two correlations of the whole
    image (Cho and Lee, SIGGRAPH Asia 2009, Eq. 8) and solved by accelerated projected descent on frames of twice the
    box, which costs next to nothing.

    Args:
        latent: Gradients of the latent image, zero where they say nothing.
        blurry: Gradients of the photo.
        start: Odd square box; also gives its size.
        size: Frame (height, width) of the gradients.
        weight: Weight of each frequency of the misfit; only its shape matters, not its size.
        ridge: Multiplier of the ridge; one value for all, or one for each kernel. The larger, the more evenly light is
            spread over the kernel.
    """
    equations = normal_equations(latent, blurry, start.shape[-1], size, weight, ridge=ridge)
    return _descend(equations, start)


class NormalEquations(NamedTuple):
    """Of the least squares for a kernel: `operator * kernel = wanted`.

    Attributes:
        operator: Spectrum of what the kernel is convolved with, on a frame of at least twice the box.
        wanted: In the box of the kernel.
    """

    operator: Float[Tensor, "b 1 n fn"]
    wanted: Kernels

    def slope(self, kernel: Kernels) -> Kernels:
        """What the operator makes of kernels, less what is wanted: the gradient of the misfit."""
        side, frame = kernel.shape[-1], self.operator.shape[-2]
        correlated = from_spectrum(self.operator * spectrum(kernel, (frame, frame)), (frame, frame))
        return correlated[..., :side, :side] - self.wanted

    def misfit(self, kernel: Kernels) -> Float[Tensor, " b"]:
        """What the least squares minimise, halved and up to a constant."""
        return (kernel * (self.slope(kernel) - self.wanted)).sum((-3, -2, -1)) / 2


def normal_equations(
    latent: Gradients,
    blurry: Gradients,
    side: int,
    size: tuple[int, int],
    weight: Float[Tensor, "b 1 fh fw"] | None = None,
    *,
    ridge: Ridge = RIDGE,
) -> NormalEquations:
    """What `fit_kernel` solves; arguments as there, and the odd side of the box."""
    match = power(latent.right) + power(latent.down)
    cross = multiply_conjugate(latent.right, blurry.right) + multiply_conjugate(latent.down, blurry.down)
    if weight is not None:
        all_light = (match * weight).sum((-2, -1), keepdim=True).clamp_min(_LEAST)
        balanced = weight * (match.sum((-2, -1), keepdim=True) / all_light)
        match, cross = match * balanced, cross * balanced
    reach = side // 2
    wanted = torch.roll(from_spectrum(cross, size), (reach, reach), (-2, -1))[..., :side, :side]
    return NormalEquations(_toeplitz(torch.complex(match, torch.zeros_like(match)), side, size, ridge), wanted)


def _toeplitz(match: Tensor, side: int, size: tuple[int, int], ridge: Ridge) -> Float[Tensor, "b 1 n fn"]:
    """Spectrum, on a frame of at least twice the box, of the operator that correlates a kernel with the image's own."""
    lags = torch.roll(from_spectrum(match, size), (side - 1, side - 1), (-2, -1))[..., : 2 * side - 1, : 2 * side - 1]
    frame = good_size(2 * side)
    own = kernel_spectrum(lags, (frame, frame)).real
    return own + _SMOOTHNESS * difference_power((frame, frame), own) + ridge


def _descend(equations: NormalEquations, start: Tensor) -> Tensor:
    """The minimiser of the quadratic form under k >= 0, nearly."""
    rate = 1 / equations.operator.amax((-2, -1), keepdim=True)
    return AcceleratedDescent(equations.slope, lambda kernel: kernel.clamp_min(0), start, rate, _DESCENT_STEPS).run()


def tidy_kernel(kernel: Kernels, previous: Kernels, faintest: Float[Tensor, "#b 1 1 1"]) -> Kernels:
    """As `drop_faint`, and centred."""
    return centre_kernel(drop_faint(kernel, previous, faintest))


def drop_faint(kernel: Kernels, previous: Kernels, faintest: Float[Tensor, "#b 1 1 1"]) -> Kernels:
    """Kernels without faint values and small stray parts, of sum 1; an empty one stays as it was before.

    Args:
        kernel: Non-negative.
        previous: What to fall back to.
        faintest: Share of the largest value below which a value becomes zero.
    """
    strong = torch.where(kernel < faintest * kernel.amax((-2, -1), keepdim=True), 0.0, kernel)
    tidied = [_tidy_one(one, before) for one, before in zip(strong.split(1), previous.split(1), strict=True)]
    return torch.cat(tidied)


def _tidy_one(kernel: Tensor, previous: Tensor) -> Tensor:
    total = kernel.sum()
    if not total > 1e-6:
        return previous
    parts = label_parts(kernel > 0)
    light = torch.zeros(int(parts.max()) + 1, dtype=kernel.dtype, device=kernel.device)
    light.scatter_add_(0, parts.flatten(), kernel.flatten())
    kept = torch.where((light >= _SMALLEST_PART * total)[parts], kernel, 0.0)
    return kept / kept.sum() if kept.any() else previous


def resize_kernel(kernel: Kernels, side: int) -> Float[Tensor, "b 1 {side} {side}"]:
    """Kernels at the next pyramid level, in a box of another odd side."""
    resized = F.interpolate(kernel, size=(side, side), mode="bicubic", antialias=True, align_corners=False)
    resized = resized.clamp_min(0)
    return resized / resized.sum((-2, -1), keepdim=True)
