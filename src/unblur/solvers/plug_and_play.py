"""Deconvolution under a prior that is only known as something that improves images: a denoiser, a learned network.

Half-quadratic splitting with the improver in the place of the prior's proximal map: Venkatakrishnan, Bouman, Wohlberg,
"Plug-and-play priors for model based reconstruction" (GlobalSIP 2013).
"""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import from_spectrum, kernel_spectrum, multiply_conjugate, power, spectrum
from unblur.solvers.differences import Images
from unblur.solvers.frame import Frame

__all__ = ["deconvolve_with_improver"]


def deconvolve_with_improver(
    blurry: Images,
    kernel: Float[Tensor, "1 1 kh kw"],
    start: Images,
    improve: Callable[[Images], Images],
    *,
    steps: int,
    pull: float,
) -> Images:
    """In turns: improve the image, then the minimiser of `|k * x - y|^2 + pull |x - improved|^2`.

    Args:
        blurry: In [0, 1].
        kernel: Sum 1, odd sizes.
        start: Image to begin with, such as that of another solver; of the size of `blurry`.
        improve: Returns an image of the same size.
        steps: How often.
        pull: How much the improved image counts against the photo, of frequencies that the kernel keeps whole.
    """
    height, width = blurry.shape[-2:]
    frame = Frame.around((height, width), (kernel.shape[-2], kernel.shape[-1]))
    blur = kernel_spectrum(kernel, frame.size)
    kept = multiply_conjugate(blur, spectrum(frame.extend(blurry)))
    share = 1 / (power(blur) + pull)
    latent = start
    for _ in range(steps):
        wanted = spectrum(frame.extend(improve(latent)))
        latent = frame.crop(from_spectrum((kept + pull * wanted) * share, frame.size))
    return latent
