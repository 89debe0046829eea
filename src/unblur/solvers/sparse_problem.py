"""The problem of deconvolution under a sparse-gradient prior, as all iterations that solve it are given it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import from_spectrum
from unblur.solvers.data_terms import QuadraticData
from unblur.solvers.differences import Images, difference_power, differences
from unblur.solvers.frame import Frame
from unblur.solvers.operators import FramedBlur
from unblur.solvers.sparse_gradients import SparseGradients

__all__ = ["SparseProblem", "pose_sparse"]

_DATA_PENALTY = 0.2
_GRADIENT_PENALTY = 0.02
"""Penalties of alternating directions; both were chosen on synthetic photos."""
_NEARLY_CLIPPED = 0.92
"""Share of the value at which light is clipped from which a pixel of a photo with clipped light counts as clipped, and
its neighbours too: compression moves light across the border of a lamp. On six night scenes this gains 2 dB."""


@dataclass(frozen=True)
class SparseProblem:
    """One photo in its frame, ready for the iterations that solve it.

    Attributes:
        frame: Where the photo lies.
        operator: The blur on the frame.
        data: What was observed, with a mask that is 0 outside the photo.
        gradient_power: Power of the difference operator at each frequency.
        prior: Of its gradients.
        data_penalty: Penalty of the split of the reblurred image.
        gradient_penalty: Penalty of the split of the gradients.
    """

    frame: Frame
    operator: FramedBlur
    data: QuadraticData
    gradient_power: Tensor
    prior: SparseGradients
    data_penalty: float
    gradient_penalty: float

    @property
    def photos(self) -> int:
        """Photos of one image that the problem has, each with its kernel."""
        return self.operator.spectrum.shape[1]

    def image(self, values: Tensor) -> Tensor:
        """The image, in its frame, of a spectrum."""
        return from_spectrum(values, self.frame.size)

    def measure(self, latent: Tensor) -> dict[str, float]:
        """Objective, and root mean square of reblurred minus observed inside the photo."""
        reblurred = self.operator.apply(latent)
        right, down = differences(latent)
        prior = self.prior.value(right) + self.prior.value(down)
        residual = self.frame.crop(self.data.residual(reblurred))
        return {
            "objective": float(self.data.value(reblurred) + prior),
            "residual": float(residual.square().mean().sqrt()),
        }


def pose_sparse(
    blurry: Tensor,
    kernel: Tensor,
    *,
    prior_strength: float | tuple[float, float, float],
    exponent: float = 0.8,
    saturation: float | None = None,
    known: Float[Tensor, "#b m h w"] | None = None,
) -> SparseProblem:
    """The problem of `deconvolve_sparse`, for callers that own the loop of its iterations."""
    frame, operator = FramedBlur.around(blurry, kernel)
    inside = frame.place(torch.ones_like(blurry[:1, :1]) if known is None else known)
    saturated = None if saturation is None else _find_clipped(blurry, saturation)
    return SparseProblem(
        frame=frame,
        operator=operator,
        data=QuadraticData(frame.extend(blurry), inside, None if saturated is None else frame.place(saturated)),
        gradient_power=difference_power(frame.size, blurry),
        prior=SparseGradients(prior_strength if isinstance(prior_strength, tuple) else (prior_strength,), exponent),
        data_penalty=_DATA_PENALTY,
        gradient_penalty=_GRADIENT_PENALTY,
    )


def _find_clipped(blurry: Images, saturation: float) -> Tensor | None:
    """1 at clipped pixels and right beside them, else 0; None: there are none."""
    clips = (blurry >= saturation).any(-1, keepdim=True).any(-2, keepdim=True)
    if not bool(clips.any()):
        return None
    near = ((blurry >= _NEARLY_CLIPPED * saturation) & clips).to(blurry.dtype)
    return F.max_pool2d(near, 3, 1, 1)
