"""Priors on the latent image of blind deblurring: each tells which gradients, and which intensities, it would rather see.

All are used in half-quadratic splitting: the image is asked to be close to what the prior makes of it, more and more
strictly as the penalty rises. They are meant to be too strong for a final image: a blind method needs the few edges
that are certain, not the textures (Perrone and Favaro, CVPR 2014, on why a weaker prior ends with no deblurring).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from torch import Tensor

from unblur.solvers.differences import Images
from unblur.solvers.proximal import keep_strong

__all__ = [
    "PRIORS",
    "DarkChannel",
    "ExtremeChannels",
    "L0Gradient",
    "LatentPrior",
    "NormalisedSparsity",
    "TotalVariation",
]

Strength = Tensor
"""`(B, 1, 1, 1)`: each photo, or each hypothesis on one, has its own."""


class LatentPrior(Protocol):
    """What a prior does with an image; `strength` and `penalty` are the weights of prior and splitting."""

    def sparsify(self, right: Images, down: Images, strength: Strength, penalty: Strength) -> tuple[Images, Images]:
        """The gradients that the prior would rather see."""
        ...

    def darken(self, latent: Images, strength: Strength) -> Images | None:
        """The image with the intensities that the prior would rather see; None: it has no say in them."""
        ...


class _NoIntensities:
    """A prior on gradients alone."""

    def darken(self, latent: Images, strength: Strength) -> Images | None:  # noqa: ARG002
        return None


class L0Gradient(_NoIntensities):
    """Few non-zero gradients: Xu, Zheng and Jia (CVPR 2013); Pan et al. (CVPR 2014) with an exact L0 step."""

    def sparsify(self, right: Images, down: Images, strength: Strength, penalty: Strength) -> tuple[Images, Images]:
        return keep_strong(right, down, strength / penalty)


class TotalVariation(_NoIntensities):
    """Small isotropic total variation: Perrone and Favaro (CVPR 2014), strength as for L0.

    A gradient of length t counts as `2 t sqrt(strength)`, so that it costs about as much as under the L0 prior where
    that would start to keep it at penalty 1.
    """

    def sparsify(self, right: Images, down: Images, strength: Strength, penalty: Strength) -> tuple[Images, Images]:
        return _shorten(right, down, strength.sqrt() / (4 * penalty))


class NormalisedSparsity(_NoIntensities):
    """Small L1 over L2 norm of the gradients: Krishnan, Tay and Fergus (CVPR 2011), Eq. 4.

    With the L2 norm held at its present value the L1 norm remains, weighted by one over it.
    """

    def sparsify(self, right: Images, down: Images, strength: Strength, penalty: Strength) -> tuple[Images, Images]:
        spread = (right.square() + down.square()).mean(dim=(-3, -2, -1), keepdim=True).sqrt().clamp_min(1e-6)
        return _shorten(right, down, strength / (8 * penalty * spread))


@dataclass(frozen=True)
class DarkChannel(L0Gradient):
    """L0 gradients, and dark patches are black: Pan, Sun, Pfister and Yang (CVPR 2016), Eq. 7 and 13.

    Attributes:
        patch: Odd side of the patches in pixels whose minimum is looked at.
    """

    patch: int = 15

    def darken(self, latent: Images, strength: Strength) -> Images | None:
        return _blacken(latent, strength, self.patch)


@dataclass(frozen=True)
class ExtremeChannels(L0Gradient):
    """L0 gradients, dark patches are black and bright patches white: Yan et al. (CVPR 2017), Eq. 6.

    Attributes:
        patch: Odd side of the patches in pixels whose minimum and maximum are looked at.
    """

    patch: int = 15

    def darken(self, latent: Images, strength: Strength) -> Images | None:
        return 1 - _blacken(1 - _blacken(latent, strength, self.patch), strength, self.patch)


PRIORS: dict[str, LatentPrior] = {
    "l0": L0Gradient(),
    "tv": TotalVariation(),
    "l1l2": NormalisedSparsity(),
    "dark-channel": DarkChannel(),
    "extreme-channels": ExtremeChannels(),
}
"""By the names that settings use."""


def _shorten(right: Tensor, down: Tensor, threshold: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients shortened by `threshold`, shorter ones to zero: the proximal map of their length."""
    length = torch.hypot(right, down).clamp_min(1e-12)
    factor = (1 - threshold / length).clamp_min(0)
    return right * factor, down * factor


def _blacken(latent: Tensor, strength: Tensor, patch: int) -> Tensor:
    """The darkest pixel of each patch set to 0 where its square is below `strength`."""
    margin = patch // 2
    batch, _, height, width = latent.shape
    padded = F.pad(latent, (margin,) * 4, mode="replicate")
    darkest, place = F.max_pool2d(-padded, patch, stride=1, return_indices=True)
    wide = width + 2 * margin
    rows = (place // wide - margin).clamp(0, height - 1)
    columns = (place % wide - margin).clamp(0, width - 1)
    pixel = (rows * width + columns).flatten(1)
    unsure = (darkest.square() < strength).flatten(1)
    factor = torch.ones(batch, height * width, dtype=latent.dtype, device=latent.device)
    factor.scatter_reduce_(1, pixel, (~unsure).to(latent.dtype), reduce="amin")
    return latent * factor.view(batch, 1, height, width)
