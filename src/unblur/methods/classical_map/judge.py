"""Which of several answers is best, and whether any is good: without knowing the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.solvers.photo import estimate_noise

__all__ = ["Judgement", "find_fault", "judge", "touches_box"]

_MISFIT_WEIGHT = 0.1
_COLOUR_WEIGHT = 0.15
"""Weights of log misfit and of its colour against sparsity, fitted to the PSNR of answers to synthetic photos."""
_IMPULSE = 0.9
_CLOUD = 0.4
_MISFIT_LIMIT = 0.5
_TOUCHING = 0.002

Grey = Float[Tensor, "1 1 h w"]
Kernel = Float[Tensor, "1 1 kh kw"]


@dataclass(frozen=True)
class Judgement:
    """How an answer looks.

    Attributes:
        sparsity: L1 over L2 norm of the restored image's gradients: low for clean edges, high for blur, noise and
            ringing (Krishnan, Tay and Fergus, CVPR 2011).
        misfit: Root mean square of reblurred minus blurry.
        colour: Correlation of that difference with itself two pixels to the right plus two pixels down: about 0 if
            only noise is left, higher where the kernel is wrong.
        unexplained: Share of the photo's own gradient power, noise apart, that the misfit has.
    """

    sparsity: float
    misfit: float
    colour: float
    unexplained: float

    @property
    def score(self) -> float:
        """Lower is better."""
        return self.sparsity + _MISFIT_WEIGHT * math.log(max(self.misfit, 1e-4)) + _COLOUR_WEIGHT * self.colour


def judge(blurry: Grey, kernel: Kernel, restored: Grey) -> Judgement:
    """Look at one answer, leaving out the border that the kernel reaches over."""
    margins = [min(k // 2, (side - 2) // 2) for k, side in zip(kernel.shape[-2:], blurry.shape[-2:], strict=True)]
    residual = _inner(convolve(restored, kernel, "replicate") - blurry, margins)
    right, down = _gradients(_inner(restored, margins))
    spread = (right.square().mean() + down.square().mean()).sqrt().clamp_min(1e-9)
    blurry_right, blurry_down = _gradients(_inner(blurry, margins))
    residual_right, residual_down = _gradients(residual)
    noise = 4 * estimate_noise(blurry) ** 2
    power = float(blurry_right.square().mean() + blurry_down.square().mean()) - noise
    left = float(residual_right.square().mean() + residual_down.square().mean()) - noise
    return Judgement(
        sparsity=float((right.abs().mean() + down.abs().mean()) / spread),
        misfit=float(residual.square().mean().sqrt()),
        colour=_colour(residual),
        unexplained=max(left, 0.0) / max(power, 1e-9),
    )


def find_fault(kernel: Kernel, judgement: Judgement) -> str | None:
    """Why this answer should not be trusted, in words that follow "the blur ..."; None: nothing speaks against it."""
    if float(kernel.max()) > _IMPULSE:
        return "is so small that the photo looks sharp"
    if _occupied_share(kernel) > _CLOUD:
        return "could not be told from noise"
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


def _colour(residual: Tensor) -> float:
    rest = residual - residual.mean()
    power = rest.square().mean().clamp_min(1e-12)
    if min(rest.shape[-2:]) < 3:
        return 0.0
    right = (rest[..., :, 2:] * rest[..., :, :-2]).mean()
    down = (rest[..., 2:, :] * rest[..., :-2, :]).mean()
    return float((right + down) / power)


def _inner(image: Tensor, margins: list[int]) -> Tensor:
    return image[..., margins[0] : image.shape[-2] - margins[0], margins[1] : image.shape[-1] - margins[1]]


def _gradients(image: Tensor) -> tuple[Tensor, Tensor]:
    return torch.diff(image, dim=-1), torch.diff(image, dim=-2)
