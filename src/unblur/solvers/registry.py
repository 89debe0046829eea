"""The known-kernel solvers by name, each with the numbers that suit a photo; they were chosen on synthetic photos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from torch import Tensor

from unblur.solvers.half_quadratic import deconvolve_sparse
from unblur.solvers.richardson_lucy import deconvolve_richardson_lucy
from unblur.solvers.wiener import deconvolve_wiener

__all__ = ["SOLVERS", "PhotoNoise", "Solver", "suitable_strength"]


_COLOUR_SMOOTHNESS = 2.0
"""Smoothness of colour differences relative to brightness. With the true kernels of eight photos of BSDS500 in each
of eight kinds, 4 in place of 2 loses 0.05 dB."""


class Deconvolve(Protocol):
    """A solver with its numbers chosen."""

    def __call__(
        self, blurry: Tensor, known: Tensor | None = None, on_share: Callable[[float], None] = lambda _: None
    ) -> Tensor:
        """The restored images.

        Args:
            blurry: `(B, C, H, W)`; where it is not known, a smooth continuation.
            known: `(B or 1, 1, H, W)`: 1 where the photo counts, 0 where something lies over it; None: everywhere.
            on_share: Called with the share of the work that is done; raises to stop.
        """
        ...


@dataclass(frozen=True)
class PhotoNoise:
    """What of a photo decides a solver's numbers.

    Attributes:
        sigma: Standard deviation of the noise on the scale of [0, 1].
        colour_sigmas: Those of both colour differences, where three colours are solved for together, and `sigma` is
            that of their mean; None: images by themselves.
        saturation: Pixels from this value up were clipped; None: none was.
        quick: Whether a rough answer will do where many steps are needed.
    """

    sigma: float
    saturation: float | None = None
    quick: bool = False
    colour_sigmas: tuple[float, float] | None = None


@dataclass(frozen=True)
class Solver:
    """One solver.

    Attributes:
        prepare: From what is known of the noise, the kernel `(1, 1, kH, kW)` and the smoothness that is asked for (1
            suits the noise) to a function from blurry to restored images.
        joins_colours: It takes three colours together, as a batch: see `SparseGradients`.
        joins_photos: It takes several photos of one scene, as the channels of an image, with a kernel each.
    """

    prepare: Callable[[PhotoNoise, Tensor, float], Deconvolve]
    joins_colours: bool = False
    joins_photos: bool = False


def suitable_strength(noise_sigma: float) -> float:
    """Strength of the sparse-gradient prior that suits a photo with noise of that standard deviation."""
    return 8e-5 + 0.02 * noise_sigma + 3.6 * noise_sigma**2


def _sparse(
    exponent: float, noise: PhotoNoise, kernel: Tensor, smoothness: float, *, positive: bool = False
) -> Deconvolve:
    strength = smoothness * suitable_strength(noise.sigma)
    colours = [_COLOUR_SMOOTHNESS * smoothness * suitable_strength(sigma) for sigma in noise.colour_sigmas or ()]
    return partial(
        deconvolve_sparse,
        kernel=kernel,
        prior_strength=(strength, colours[0], colours[1]) if colours else strength,
        exponent=exponent,
        saturation=noise.saturation,
        quick=noise.quick,
        positive=positive,
    )


def _wiener(noise: PhotoNoise, kernel: Tensor, smoothness: float) -> Deconvolve:
    def run(blurry: Tensor, known: Tensor | None = None, on_share: Callable[[float], None] = lambda _: None) -> Tensor:
        del known  # one filter for all of the photo: what lies over it is the smooth continuation that it is given
        on_share(0.0)
        return deconvolve_wiener(blurry, kernel, prior_strength=smoothness * (1e-3 + 0.5 * noise.sigma))

    return run


def _richardson_lucy(noise: PhotoNoise, kernel: Tensor, smoothness: float) -> Deconvolve:
    steps = max(5, round(60 / (smoothness * (1 + noise.sigma / 0.004))))
    return partial(deconvolve_richardson_lucy, kernel=kernel, steps=steps, saturation=noise.saturation)


SOLVERS: dict[str, Solver] = {
    "hyper-laplacian": Solver(partial(_sparse, 0.8), joins_colours=True, joins_photos=True),
    "positive-light": Solver(partial(_sparse, 0.8, positive=True), joins_colours=True, joins_photos=True),
    "tv": Solver(partial(_sparse, 1.0), joins_colours=True, joins_photos=True),
    "wiener": Solver(_wiener, joins_photos=True),
    "richardson-lucy": Solver(_richardson_lucy),
}
"""A new solver is a line here and a name in `names.py`, which a test compares."""
