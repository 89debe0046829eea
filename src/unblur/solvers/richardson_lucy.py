"""Richardson-Lucy deconvolution, borders and saturation unknown."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from unblur.solvers.data_terms import PoissonData
from unblur.solvers.differences import Images
from unblur.solvers.iteration import Iteration
from unblur.solvers.operators import BlurOperator, FramedBlur

__all__ = ["RichardsonLucy", "deconvolve_richardson_lucy"]

_DARKEST = 1e-4
"""Light that is assumed everywhere: a black pixel would stay black for ever."""


class RichardsonLucy(Iteration):
    """Expectation maximisation under shot noise: Richardson (1972), Lucy (1974); for any blur operator.

    Args:
        operator: Operator of the blur; it keeps the sum of light, apart from what leaves the image.
        data: What was observed.
        steps: More steps are sharper and noisier.
        sensitivity: `operator.adjoint(1)`, by which each step is divided where light leaves the image; None: 1.
        record: See `Iteration`; the history is that of `objective`.
    """

    def __init__(
        self,
        operator: BlurOperator,
        data: PoissonData,
        steps: int,
        *,
        sensitivity: Tensor | None = None,
        record: bool = False,
    ) -> None:
        super().__init__(steps, record=record)
        self._operator, self._data, self._sensitivity = operator, data, sensitivity
        self._latent = data.observed

    @property
    @override
    def latent(self) -> Tensor:
        return self._latent

    @override
    def advance(self) -> None:
        """Multiply by the light that is missing, carried back."""
        reblurred = self._operator.apply(self._latent).clamp_min(_DARKEST)
        factor = self._operator.adjoint(self._data.ratio(reblurred)).clamp_min(0)
        self._latent = self._latent * (factor if self._sensitivity is None else factor / self._sensitivity)

    @override
    def measure(self) -> dict[str, float]:
        """The data term."""
        return {"objective": float(self._data.value(self._operator.apply(self._latent).clamp_min(_DARKEST)))}

    @classmethod
    def for_operator(
        cls, blurry: Images, operator: BlurOperator, steps: int, *, record: bool = False
    ) -> RichardsonLucy:
        """For a photo without clipped light under any operator of the photo's own size."""
        observed = blurry.clamp_min(_DARKEST)
        data = PoissonData(observed, torch.ones_like(observed), torch.zeros_like(observed, dtype=torch.bool))
        sensitivity = operator.adjoint(torch.ones_like(observed)).clamp_min(_DARKEST)
        return cls(operator, data, steps, sensitivity=sensitivity, record=record)


def deconvolve_richardson_lucy(
    blurry: Images,
    kernel: Float[Tensor, "#b 1 kh kw"],
    *,
    steps: int,
    saturation: float | None = None,
    known: Float[Tensor, "#b 1 h w"] | None = None,
    on_share: Callable[[float], None] | None = None,
) -> Images:
    """The maximum-likelihood image under Poisson noise, as far as `steps` lead.

    Args:
        blurry: In [0, 1].
        kernel: Sum 1, odd sizes.
        steps: More steps are sharper and noisier.
        saturation: Pixels from this value up were clipped; None: none was.
        known: 1 where the photo counts, 0 where something else lies over it; None: all of it counts.
        on_share: See `Iteration.run`.
    """
    frame, operator = FramedBlur.around(blurry, kernel)
    saturated = frame.place(blurry) >= (2.0 if saturation is None else saturation)
    observed = frame.extend(blurry).clamp_min(_DARKEST)
    counts = torch.ones_like(blurry) if known is None else known.expand_as(blurry)
    data = PoissonData(observed, frame.place(counts), saturated)
    return frame.crop(RichardsonLucy(operator, data, steps).run(on_share))
