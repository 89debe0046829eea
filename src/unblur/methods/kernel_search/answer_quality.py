"""Which of several answers is best, and whether any is good: without the true image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.blur.fft import kernel_spectrum, power, spectrum
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.solvers.photo import estimate_noise
from unblur.solvers.sparsity import measure_sparsity

__all__ = ["LOOKS_SHARP", "Judgement", "find_fault", "judge", "touches_box"]

_MISFIT_WEIGHT = 0.1
_COLOUR_WEIGHT = 0.15
"""Weights of log misfit and of its colour against sparsity, fitted to the PSNR of answers to synthetic photos."""
_REFINED_MISFIT_WEIGHT = 0.3
"""The same for kernels after a second pass, all of which make sparse answers: a wrong one often a sparser one than the
true kernel does, so the misfit has to say more. Chosen on 15 photos of BSDS500 under shake, seven of them hard; weights
from 0.1 to 1 lose 0.1 dB at most."""
_IMPULSE = 0.9
_CLOUD = 0.4
_MISFIT_LIMIT = 0.5
_NOISE_LIMIT = 0.93
"""Pure noise has 0.97 to 1; a blurred photo with noise of 0.02 about 0.6, with 0.05 up to 0.9."""
_UNREMOVED_LIMIT = 12.0
"""Synthetic photos with their own kernel have about 1, as JPEG up to 11;
sharp ones with the kernel that was found for them 16 to 300."""
_TOUCHING = 0.002
_LEAST_SPARSITY_GAIN = 0.1
"""How much sparser an answer in linear light has to be than the photo deconvolved with no blur. Of BSDS500 crops with
JPEG and noise, 18 of 20 sharp ones stay below it with the kernel that is found for them, and 2 of 50 blurred ones."""
LOOKS_SHARP = "is so small that the photo looks sharp"

Grey = Float[Tensor, "1 1 h w"]
Kernel = Float[Tensor, "1 1 kh kw"]


@dataclass(frozen=True)
class Judgement:
    """Measurements of one answer.

    Attributes:
        sparsity: L1 over L2 norm of the restored image's gradients: low for clean edges, high for blur, noise and
            ringing (Krishnan, Tay and Fergus, CVPR 2011).
        misfit: Root mean square of reblurred minus blurry.
        colour: Correlation of that difference with itself two pixels to the right plus two pixels down: about 0 if
            only noise is left, higher where the kernel is wrong.
        unexplained: Share of the photo's own gradient power, noise apart, that the misfit has.
        noise_share: Share of the photo's gradient power that is noise.
        unremoved: Power of the photo over that of its noise at those frequencies that the kernel removes most: about
            1 if this kernel blurred it, far more if it is sharp.
    """

    sparsity: float
    misfit: float
    colour: float
    unexplained: float
    noise_share: float
    unremoved: float

    @property
    def score(self) -> float:
        """Lower is better."""
        return self.sparsity + _MISFIT_WEIGHT * self._log_misfit + _COLOUR_WEIGHT * self.colour

    @property
    def score_of_refined(self) -> float:
        """In place of `score` among kernels that went through a second pass; lower is better."""
        return self.sparsity + _REFINED_MISFIT_WEIGHT * self._log_misfit

    @property
    def _log_misfit(self) -> float:
        return math.log(max(self.misfit, 1e-4))


def judge(
    blurry: Grey, kernel: Kernel, restored: Grey, encoding: Literal["encoded", "linear"] = "encoded"
) -> Judgement:
    """Measure one answer, leaving out the border that the kernel reaches over.

    Args:
        blurry: sRGB-encoded, in [0, 1].
        kernel: Sum 1, odd sizes.
        restored: sRGB-encoded.
        encoding: Where the kernel blurs. What is compared is sRGB-encoded in either case, so that scores compare.
    """
    margins = _margins(blurry, kernel)
    residual = _inner(_reblur(restored, kernel, encoding) - blurry, margins)
    blurry_right, blurry_down = _gradients(_inner(blurry, margins))
    residual_right, residual_down = _gradients(residual)
    noise_power = estimate_noise(blurry) ** 2
    # A difference of two pixels has twice the noise of one, and there are two of them.
    whole = float(blurry_right.square().mean() + blurry_down.square().mean())
    left = float(residual_right.square().mean() + residual_down.square().mean()) - 4 * noise_power
    return Judgement(
        sparsity=measure_sparsity(restored, kernel),
        misfit=float(residual.square().mean().sqrt()),
        colour=_colour(residual),
        unexplained=max(left, 0.0) / max(whole - 4 * noise_power, 1e-9),
        noise_share=4 * noise_power / max(whole, 4 * noise_power),
        unremoved=_unremoved(blurry, kernel, noise_power),
    )


def _reblur(restored: Tensor, kernel: Tensor, encoding: str) -> Tensor:
    if encoding == "encoded":
        return convolve(restored, kernel, "replicate")
    return linear_to_srgb(convolve(srgb_to_linear(restored), kernel, "replicate"))


def find_fault(kernel: Kernel, judgement: Judgement, *, sparsity_gain: float | None = None) -> str | None:
    """Why this answer should not be trusted, in words that follow "the blur ..."; None: nothing speaks against it.

    Args:
        kernel: The kernel of the answer.
        judgement: What was measured of it.
        sparsity_gain: Sparsity of the photo deconvolved with no blur, less that of the answer; None: not measured.
    """
    if judgement.noise_share > _NOISE_LIMIT:
        return "could not be distinguished from noise"
    too_little = sparsity_gain is not None and sparsity_gain < _LEAST_SPARSITY_GAIN
    if float(kernel.max()) > _IMPULSE or judgement.unremoved > _UNREMOVED_LIMIT or too_little:
        return LOOKS_SHARP
    if _occupied_share(kernel) > _CLOUD:
        return "could not be distinguished from noise"
    if judgement.unexplained > _MISFIT_LIMIT:
        return "is not the same everywhere, or not of a kind that one kernel explains"
    return None


def touches_box(kernel: Kernel) -> bool:
    """Whether the kernel reaches the border of its box, so that a larger box should be tried."""
    inner = kernel[..., 1:-1, 1:-1].sum()
    return float(1 - inner / kernel.sum()) > _TOUCHING


def _occupied_share(kernel: Tensor) -> float:
    """Share of the box that the kernel would fill if its light were even: its effective number of pixels."""
    return float(kernel.sum().square() / kernel.square().sum()) / kernel[0, 0].numel()


def _unremoved(blurry: Tensor, kernel: Tensor, noise_power: float) -> float:
    """Power of the photo over that of its noise, at the fifth of frequencies that the kernel removes most."""
    height, width = blurry.shape[-2:]
    rows, columns = (torch.hann_window(side, dtype=blurry.dtype, device=blurry.device) for side in (height, width))
    window = rows[:, None] * columns[None, :]
    own = power(spectrum((blurry - blurry.mean()) * window))[0, 0]
    let_through = power(kernel_spectrum(kernel, (height, width)))[0, 0]
    removed = let_through <= let_through.flatten().kthvalue(max(1, let_through.numel() // 5)).values
    # The power of noise is distributed exponentially: its median is ln 2 times its mean.
    return float(own[removed].median() / (math.log(2) * noise_power * window.square().sum()))


def _colour(residual: Tensor) -> float:
    rest = residual - residual.mean()
    variance = rest.square().mean().clamp_min(1e-12)
    if min(rest.shape[-2:]) < 3:
        return 0.0
    right = (rest[..., :, 2:] * rest[..., :, :-2]).mean()
    down = (rest[..., 2:, :] * rest[..., :-2, :]).mean()
    return float((right + down) / variance)


def _margins(image: Tensor, kernel: Tensor) -> list[int]:
    return [min(k // 2, (side - 2) // 2) for k, side in zip(kernel.shape[-2:], image.shape[-2:], strict=True)]


def _inner(image: Tensor, margins: list[int]) -> Tensor:
    return image[..., margins[0] : image.shape[-2] - margins[0], margins[1] : image.shape[-1] - margins[1]]


def _gradients(image: Tensor) -> tuple[Tensor, Tensor]:
    return torch.diff(image, dim=-1), torch.diff(image, dim=-2)
