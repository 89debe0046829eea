"""Priors on the latent image of blind deblurring: each says which gradients and intensities it favours.

All are used in half-quadratic splitting: the image is asked to be close to what the prior makes of it, more and more
strictly as the penalty rises. They are meant to be too strong for a final image: a blind method needs the few edges
that are certain, not the textures (Perrone and Favaro, CVPR 2014, on why a weaker prior ends with no deblurring).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.images.neighbourhoods import largest_around
from unblur.solvers.differences import Images
from unblur.solvers.proximal import keep_strong

__all__ = [
    "PRIORS",
    "DarkChannel",
    "ExtremeChannels",
    "Favoured",
    "L0Gradient",
    "LatentPrior",
    "NormalisedSparsity",
    "TotalVariation",
    "TwoTones",
]

Strength = Tensor
"""`(B, 1, 1, 1)`: each photo, or each hypothesis on one, has its own."""


class Favoured(NamedTuple):
    """An image whose intensities the prior favours, and how much it counts beside a photo that counts 1."""

    image: Images
    weight: Strength


class LatentPrior(Protocol):
    """What a prior does with an image; `strength` and `penalty` are the weights of prior and splitting."""

    def sparsify(self, right: Images, down: Images, strength: Strength, penalty: Strength) -> tuple[Images, Images]:
        """The gradients that the prior favours."""
        ...

    def favour(self, latent: Images, strength: Strength, penalty: Strength) -> Favoured | None:
        """The intensities that the prior favours; None: it concerns gradients alone."""
        ...


class _NoIntensities:
    """A prior on gradients alone."""

    def favour(self, latent: Images, strength: Strength, penalty: Strength) -> Favoured | None:  # noqa: ARG002
        """Nothing: any intensity will do."""
        return None


class L0Gradient(_NoIntensities):
    """Few non-zero gradients: Xu, Zheng and Jia (CVPR 2013); Pan et al. (CVPR 2014) with an exact L0 step."""

    def sparsify(self, right: Images, down: Images, strength: Strength, penalty: Strength) -> tuple[Images, Images]:
        """Strong gradients stay as they are, weak ones become zero."""
        return keep_strong(right, down, strength / penalty)


class TotalVariation(_NoIntensities):
    """Small isotropic total variation: Perrone and Favaro (CVPR 2014), strength as for L0.

    A gradient of length t counts as `2 t sqrt(strength)`, so that it costs about as much as under the L0 prior where
    that would start to keep it at penalty 1.
    """

    def sparsify(self, right: Images, down: Images, strength: Strength, penalty: Strength) -> tuple[Images, Images]:
        """All gradients shortened by the same length."""
        return _shorten(right, down, strength.sqrt() / (4 * penalty))


class NormalisedSparsity(_NoIntensities):
    """Small L1 over L2 norm of the gradients: Krishnan, Tay and Fergus (CVPR 2011), Eq. 4.

    With the L2 norm held at its present value the L1 norm remains, weighted by one over it.
    """

    def sparsify(self, right: Images, down: Images, strength: Strength, penalty: Strength) -> tuple[Images, Images]:
        """All gradients shortened by the same length, the more the weaker they are as a whole."""
        spread = (right.square() + down.square()).mean(dim=(-3, -2, -1), keepdim=True).sqrt().clamp_min(1e-6)
        return _shorten(right, down, strength / (8 * penalty * spread))


@dataclass(frozen=True)
class DarkChannel(L0Gradient):
    """L0 gradients, and dark patches are black: Pan, Sun, Pfister and Yang (CVPR 2016), Eq. 7 and 13.

    Attributes:
        patch: Odd side of the patches in pixels whose minimum is looked at.
    """

    patch: int = 15

    def favour(self, latent: Images, strength: Strength, penalty: Strength) -> Favoured:  # noqa: ARG002
        """The darkest pixels of patches black, where they nearly are."""
        return Favoured(_blacken(latent, strength, self.patch), strength)


@dataclass(frozen=True)
class ExtremeChannels(L0Gradient):
    """L0 gradients, dark patches are black and bright patches white: Yan et al. (CVPR 2017), Eq. 6.

    Attributes:
        patch: Odd side of the patches in pixels whose minimum and maximum are looked at.
    """

    patch: int = 15

    def favour(self, latent: Images, strength: Strength, penalty: Strength) -> Favoured:  # noqa: ARG002
        """The darkest pixels of patches black and the brightest white, where they nearly are."""
        darkened = _blacken(latent, strength, self.patch)
        return Favoured(1 - _blacken(1 - darkened, strength, self.patch), strength)


@dataclass(frozen=True)
class TwoTones(L0Gradient):
    """L0 gradients, and every pixel is ink or paper: for text and codes.

    After Pan, Hu, Su and Yang (CVPR 2014), whose prior wants pixels to be black; here paper may be lit unevenly, so its
    tone is that of the brightest around. The higher the penalty, the more the tones count.

    Attributes:
        ink: Share of the pixels that are at least as dark as ink.
        block: Side in pixels of the blocks whose brightest pixel is looked at, of five by five of them.
        heaviest: Largest weight of the tones.
    """

    ink: float = 0.03
    block: int = 8
    heaviest: float = 10.0

    def favour(self, latent: Images, strength: Strength, penalty: Strength) -> Favoured:  # noqa: ARG002
        """Each pixel in the nearer of its two tones."""
        dark, bright = self.tones(latent)
        return Favoured(torch.where(latent < (dark + bright) / 2, dark, bright), penalty.clamp_max(self.heaviest))

    def tones(self, latent: Images) -> tuple[Float[Tensor, "b 1 1 1"], Images]:
        """The tone of ink, one for each image, and that of the paper around each pixel."""
        every = max(1, latent[0].numel() // 20_000)
        samples = latent.flatten(1)[:, ::every]
        dark = samples.kthvalue(max(1, round(self.ink * samples.shape[1])), dim=1).values.view(-1, 1, 1, 1)
        block = min(self.block, *latent.shape[-2:])
        brightest = F.max_pool2d(F.max_pool2d(latent, block, ceil_mode=True), 5, 1, 2)
        smooth = F.avg_pool2d(brightest, 5, 1, 2, count_include_pad=False)
        return dark, F.interpolate(smooth, size=latent.shape[-2:], mode="bilinear").clamp_max(1)


PRIORS: dict[str, LatentPrior] = {
    "l0": L0Gradient(),
    "tv": TotalVariation(),
    "l1l2": NormalisedSparsity(),
    "dark-channel": DarkChannel(),
    "extreme-channels": ExtremeChannels(),
    "two-tones": TwoTones(),
}
"""By the names that settings use."""


def _shorten(right: Tensor, down: Tensor, threshold: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients shortened by `threshold`, shorter ones to zero: the proximal map of their length."""
    length = torch.hypot(right, down).clamp_min(1e-12)
    factor = (1 - threshold / length).clamp_min(0)
    return right * factor, down * factor


def _blacken(latent: Tensor, strength: Tensor, patch: int) -> Tensor:
    """Pixels that are the darkest of some patch set to 0 where their square is below `strength`."""
    darkest = -largest_around(-latent, patch)
    # No patch that a pixel lies in has a larger minimum than the pixel itself; if one has an equal one, it is its own.
    is_darkest = largest_around(darkest, patch) >= latent
    return latent.masked_fill(is_darkest & (latent.square() < strength), 0)
