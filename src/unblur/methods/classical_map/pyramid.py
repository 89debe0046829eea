"""Coarse to fine: the kernel grows from two pixels to its full size, latent image and kernel taking turns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import from_spectrum, kernel_spectrum, multiply_conjugate, power, spectrum
from unblur.methods.classical_map.kernel_step import Gradients, fit_kernel, resize_kernel, tidy_kernel
from unblur.methods.classical_map.region import crop_informative
from unblur.solvers.differences import difference_power, differences, differences_adjoint
from unblur.solvers.frame import Frame
from unblur.solvers.priors import LatentPrior

__all__ = ["HYPOTHESES", "Hypothesis", "Level", "estimate_kernels", "plan_levels"]

_RATIO = 0.5**0.5
_COARSEST_BOX = 5
_FINAL_PENALTY = 1e5
"""Splitting ends when the penalty is so high that latent image and prior agree."""
_WEAKEST = 1e-4
_WEAKENING = 1.1
"""The prior's strength is divided by this after every round, down to the weakest."""
_DAMPING = 0.01
"""Keeps the weight of frequencies that the kernel removes finite."""

Grey = Float[Tensor, "1 1 h w"]
Kernels = Float[Tensor, "b 1 kh kw"]


@dataclass(frozen=True)
class Hypothesis:
    """One way to go about a photo; which is best differs from photo to photo.

    Attributes:
        prior_strength: At the start; it falls from round to round.
        edge_share: Share of the latent image's gradients, the strongest, that the kernel is fitted to.
        faintest: Kernel values below this share of the largest become zero.
        whitening: Variance of the noise over that of the details that the latent image lacks. The misfit of those
            details is blurred by the kernel, so frequencies that the kernel removes are measured more precisely and
            weigh more: generalised least squares. None: every frequency weighs the same.
        whitens_levels: How many of the finest levels are whitened; with a rough kernel it does harm.
    """

    prior_strength: float
    edge_share: float = 1.0
    faintest: float = 0.05
    whitening: float | None = None
    whitens_levels: int = 1


HYPOTHESES = (
    Hypothesis(8e-3, edge_share=0.2, faintest=0.07, whitening=0.03),
    Hypothesis(4e-3, whitening=0.03),
    Hypothesis(8e-3, faintest=0.07, whitening=0.1, whitens_levels=99),
    Hypothesis(16e-3, whitening=0.1, whitens_levels=99),
)
"""Chosen on synthetic photos: the first two are the best pair, each more adds a little."""


@dataclass(frozen=True)
class Level:
    """One level of the pyramid: size of the whole photo there, and side of the kernel's box."""

    photo: tuple[int, int]
    box: int


def plan_levels(photo: tuple[int, int], box: int) -> list[Level]:
    """Levels from coarse to fine; at the last one the photo has its own size and the kernel the box `box`."""
    count = max(1, math.floor(math.log(_COARSEST_BOX / box) / math.log(_RATIO)) + 1)
    scales = [_RATIO**level for level in reversed(range(count))]
    return [
        Level((max(1, round(photo[0] * s)), max(1, round(photo[1] * s))), max(3, round(box * s) // 2 * 2 + 1))
        for s in scales
    ]


def estimate_kernels(
    grey: Grey,
    box: int,
    hypotheses: Sequence[Hypothesis],
    prior: LatentPrior,
    *,
    rounds: int,
    pixels: int,
    on_round: Callable[[int, int], None],
) -> Kernels:
    """One kernel for each hypothesis, all found in one batch.

    Args:
        grey: The photo, or the part of it that may be looked at, in [0, 1].
        box: Odd side of the kernels.
        hypotheses: How to go about it.
        prior: What a sharp image looks like.
        rounds: Rounds on each level.
        pixels: Each level looks at no more than about so many pixels, its most informative region.
        on_round: Called with (rounds done, rounds in all); raises to stop.
    """
    levels = plan_levels((grey.shape[-2], grey.shape[-1]), box)
    search = _Search(hypotheses, prior, grey)
    for number, level in enumerate(levels):
        photo = grey if level.photo == tuple(grey.shape[-2:]) else _shrink(grey, level.photo)
        search.enter(crop_informative(photo, pixels, 2 * level.box), level.box, len(levels) - number)
        for step in range(rounds):
            search.run_round()
            on_round(number * rounds + step + 1, len(levels) * rounds)
    return search.kernel


def _shrink(grey: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(grey, size=size, mode="bilinear", antialias=True, align_corners=False)


class _Search:
    """State of the search for all hypotheses at once: kernels, prior strengths, and the level's spectra."""

    def __init__(self, hypotheses: Sequence[Hypothesis], prior: LatentPrior, like: Tensor) -> None:
        def column(values: list[float]) -> Tensor:
            return torch.tensor(values, dtype=like.dtype, device=like.device).view(-1, 1, 1, 1)

        self._prior = prior
        self._hypotheses = hypotheses
        self._strength = column([h.prior_strength for h in hypotheses])
        self._faintest = column([h.faintest for h in hypotheses])
        self.kernel = _two_pixels(like).expand(len(hypotheses), -1, -1, -1)

    def enter(self, photo: Tensor, box: int, levels_left: int) -> None:
        """Go to the next finer level."""
        if self.kernel.shape[-1] != box:
            self.kernel = resize_kernel(self.kernel, box)
        self._frame = frame = Frame.around((photo.shape[-2], photo.shape[-1]), (box, box))
        self._observed = frame.extend(photo)
        self._observed_spectrum = spectrum(self._observed)
        self._difference_power = difference_power(frame.size, photo)
        # The gradients of the last row and column look at what is not known.
        self._inside = frame.place(torch.ones_like(photo), margin=1)
        right, down = differences(self._observed)
        self._blurry = Gradients.of(right * self._inside, down * self._inside)
        self._whitening = [
            h.whitening if h.whitening and levels_left <= h.whitens_levels else None for h in self._hypotheses
        ]

    def run_round(self) -> None:
        """Latent image, then kernel, then a weaker prior."""
        blur = kernel_spectrum(self.kernel, self._frame.size)
        blur_power = power(blur)
        latent = self._sharpen(multiply_conjugate(blur, self._observed_spectrum), blur_power)
        right, down = differences(latent)
        kept = self._certain_edges(right, down)
        gradients = Gradients.of(right * kept, down * kept)
        found = fit_kernel(gradients, self._blurry, self.kernel, self._frame.size, self._weights(blur_power))
        self.kernel = tidy_kernel(found, self.kernel, self._faintest)
        self._strength = (self._strength / _WEAKENING).clamp_min(_WEAKEST)

    def _sharpen(self, back_projected: Tensor, blur_power: Tensor) -> Tensor:
        """The latent image under the prior: half-quadratic splitting, the penalty doubling."""
        latent = self._observed.expand(len(self._hypotheses), -1, -1, -1)
        penalty = 2 * self._strength
        while float(penalty.min()) < _FINAL_PENALTY:
            wanted = spectrum(
                differences_adjoint(*self._prior.sparsify(*differences(latent), self._strength, penalty))
            )
            data, weight = back_projected, blur_power
            darkened = self._prior.darken(latent, self._strength)
            if darkened is not None:
                data, weight = data + self._strength * spectrum(darkened), weight + self._strength
            solved = (data + penalty * wanted) / (weight + penalty * self._difference_power)
            latent = from_spectrum(solved, self._frame.size)
            penalty = 2 * penalty
        return latent

    def _certain_edges(self, right: Tensor, down: Tensor) -> Tensor:
        """1 where a gradient is strong enough for its hypothesis and inside the photo, else 0."""
        if all(h.edge_share >= 1 for h in self._hypotheses):
            return self._inside
        length = self._frame.crop(right.square() + down.square())
        every = max(1, length[0].numel() // 20_000)
        shares = [h.edge_share for h in self._hypotheses]
        thresholds = [
            torch.quantile(one.flatten()[::every], 1 - share) if share < 1 else one.new_zeros(())
            for one, share in zip(length, shares, strict=True)
        ]
        strong = right.square() + down.square() >= torch.stack(thresholds).view(-1, 1, 1, 1)
        return self._inside * strong

    def _weights(self, blur_power: Tensor) -> Tensor | None:
        """How much each frequency of the misfit weighs: one over its variance."""
        if not any(self._whitening):
            return None
        variances = [
            one + whitening * self._difference_power + _DAMPING if whitening else torch.ones_like(one)
            for one, whitening in zip(blur_power, self._whitening, strict=True)
        ]
        return 1 / torch.stack(variances)


def _two_pixels(like: Tensor) -> Tensor:
    """The kernel to start with: not an impulse, which would be a fixed point."""
    kernel = torch.zeros(1, 1, 3, 3, dtype=like.dtype, device=like.device)
    kernel[..., 1, :2] = 0.5
    return kernel
