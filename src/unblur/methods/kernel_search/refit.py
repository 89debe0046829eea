"""The kernel under which an image becomes a photo, where something else than the search has made the image."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import kernel_spectrum
from unblur.methods.kernel_search.kernel_step import drop_faint, fit_kernel
from unblur.methods.kernel_search.latent_step import LatentStep
from unblur.methods.kernel_search.pyramid import SECOND_PASS
from unblur.methods.kernel_search.settings import SearchSettings
from unblur.methods.options import BlurEncoding
from unblur.methods.transforms import Encode
from unblur.solvers.priors import PRIORS

__all__ = ["refit_kernel"]

_EDGE_SHARE = 0.3
_WHITENING = 0.003
_FAINTEST = SECOND_PASS.faintest
"""As of a `Hypothesis`. The image has what the search takes away, so more of it counts, and frequencies that the kernel
removes are measured better. Chosen on four photos of BSDS500 under shake."""

Grey = Float[Tensor, "1 1 h w"]
Kernel = Float[Tensor, "1 1 k k"]


def refit_kernel(
    blurry: Grey,
    image: Grey,
    kernel: Kernel,
    encoding: BlurEncoding,
    *,
    edge_share: float = _EDGE_SHARE,
    faintest: float = _FAINTEST,
) -> Kernel:
    """Non-negative least squares between the strongest edges of the image and those of the photo; sum 1.

    Unlike a step down a gradient it goes all the way. The kernel stays where it was, so that it suits the image.

    Args:
        blurry: The photo, sRGB-encoded, in [0, 1].
        image: What is taken for the sharp photo, of its shape, sRGB-encoded.
        kernel: So far, sum 1, odd square box; it also gives the box of the answer.
        encoding: Where the blur took place.
        edge_share: Share of the image's gradients, the strongest, that the kernel is fitted to.
        faintest: Kernel values below this share of the largest become zero.
    """
    to_working = Encode(encoding).forward
    step = LatentStep(
        to_working(blurry), kernel.shape[-1], PRIORS[SearchSettings().prior], SECOND_PASS.descent.final_penalty
    )
    edges = step.certain_edges(step.frame.extend(to_working(image.clamp(0, 1))), [edge_share])
    size = step.frame.size
    weights = step.weights(kernel_spectrum(kernel, size), [_WHITENING])
    found = fit_kernel(edges, step.blurry, kernel, size, weights)
    return drop_faint(found, kernel, torch.full_like(kernel[..., :1, :1], faintest))
