"""Richardson-Lucy deconvolution, borders and saturation unknown."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import from_spectrum, kernel_spectrum, multiply, multiply_conjugate, spectrum
from unblur.solvers.differences import Images
from unblur.solvers.frame import Frame

__all__ = ["deconvolve_richardson_lucy"]

_DARKEST = 1e-4
"""Light that is assumed everywhere: a black pixel would stay black for ever."""


def deconvolve_richardson_lucy(
    blurry: Images, kernel: Float[Tensor, "b 1 kh kw"], *, steps: int, saturation: float | None = None
) -> Images:
    """The maximum-likelihood image under Poisson noise, as far as `steps` lead.

    Richardson (1972), Lucy (1974); pixels outside the photo, and saturated ones that ought to be brighter, are
    not fitted, which keeps borders and lights free of ringing: Whyte et al. (IJCV 2014), Eq. 9.

    Args:
        blurry: In [0, 1].
        kernel: Sum 1, odd sizes.
        steps: More steps are sharper and noisier.
        saturation: Pixels from this value up were clipped; None: none was.
    """
    frame = Frame.around((blurry.shape[-2], blurry.shape[-1]), (kernel.shape[-2], kernel.shape[-1]))
    blur = kernel_spectrum(kernel, frame.size)
    observed = frame.extend(blurry).clamp_min(_DARKEST)
    inside = frame.place(torch.ones_like(blurry))
    saturated = frame.place(blurry) >= (2.0 if saturation is None else saturation)
    latent = observed
    for _ in range(steps):
        reblurred = from_spectrum(multiply(blur, spectrum(latent)), frame.size).clamp_min(_DARKEST)
        # Where nothing is known the ratio is 1: the present estimate is as good as any.
        ratio = torch.lerp(torch.ones_like(observed), observed / reblurred, inside)
        ratio = ratio.masked_fill_(saturated & (reblurred > observed), 1.0)
        latent = latent * from_spectrum(multiply_conjugate(blur, spectrum(ratio)), frame.size).clamp_min(0)
    return frame.crop(latent)
