"""Data terms: how far a reblurred image is from the photo, where it counts, and what follows for an iteration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["PoissonData", "QuadraticData"]

Images = Float[Tensor, "b c h w"]


@dataclass(frozen=True)
class QuadraticData:
    """Gaussian noise: `sum of mask (reblurred - observed)^2 / 2`; clipped pixels only bound the light from below.

    Attributes:
        observed: The photo, in its frame where there is one.
        mask: 1 where the photo counts, 0 outside it; broadcast to the photo.
        saturated: 1 where the photo is clipped, else 0; None: nowhere.
    """

    observed: Tensor
    mask: Tensor
    saturated: Tensor | None = None

    def residual(self, reblurred: Images) -> Tensor:
        """Reblurred minus observed where it counts, zero where a clipped pixel is as bright as it has to be."""
        difference = reblurred - self.observed
        if self.saturated is not None:
            difference = torch.where((self.saturated > 0) & (difference > 0), 0.0, difference)
        return self.mask * difference

    def value(self, reblurred: Images) -> Tensor:
        """The term itself, a scalar."""
        return self.residual(reblurred).square().sum() / 2

    def proximal_map(self, penalty: float) -> Callable[[Images], Tensor]:
        """Takes reblurred images to the minimiser over u of the term at u plus `penalty |u - reblurred|^2 / 2`."""
        share = self.mask / (self.mask + penalty)

        def fit(reblurred: Images) -> Tensor:
            light = torch.lerp(reblurred, self.observed, share)
            if self.saturated is None:
                return light
            # A clipped pixel only says that there was at least so much light.
            return light.addcmul_(self.saturated, (reblurred - light).clamp_min_(0))

        return fit


@dataclass(frozen=True)
class PoissonData:
    """Shot noise: `sum of mask (reblurred - observed log reblurred)`.

    Pixels outside the photo, and clipped ones that ought to be brighter, are not fitted, which keeps borders and lights
    free of ringing: Whyte, Sivic, Zisserman (IJCV 2014), Eq. 9.

    Attributes:
        observed: The photo, positive.
        mask: 1 where the photo counts, 0 outside it.
        saturated: True where the photo is clipped.
    """

    observed: Tensor
    mask: Tensor
    saturated: Tensor

    def ratio(self, reblurred: Images) -> Tensor:
        """Observed over reblurred; 1 where nothing is known: the present estimate is as good as any."""
        ratio = torch.lerp(torch.ones_like(self.observed), self.observed / reblurred, self.mask)
        return ratio.masked_fill_(self.saturated & (reblurred > self.observed), 1.0)

    def value(self, reblurred: Images) -> Tensor:
        """The term itself, a scalar."""
        return (self.mask * (reblurred - self.observed * reblurred.log())).sum()
