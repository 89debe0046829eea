"""Linear deconvolution with a quadratic smoothness prior."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import from_spectrum, kernel_spectrum, power, spectrum
from unblur.solvers.differences import Images, difference_power
from unblur.solvers.frame import Frame

__all__ = ["deconvolve_wiener"]


def deconvolve_wiener(blurry: Images, kernel: Float[Tensor, "b 1 kh kw"], *, prior_strength: float) -> Images:
    """The minimiser of `|k * x - y|^2 + prior_strength * |grad x|^2`.

    A Wiener filter for images whose power falls with the square of the frequency: `prior_strength` is then the
    variance of the noise over that of the gradients.

    Args:
        blurry: Noise and blur as they are; outside, the photo is continued smoothly.
        kernel: Sum 1, odd sizes.
        prior_strength: Above 0, for images in [0, 1].
    """
    frame = Frame.around((blurry.shape[-2], blurry.shape[-1]), (kernel.shape[-2], kernel.shape[-1]))
    blur = kernel_spectrum(kernel, frame.size)
    observed = spectrum(frame.extend(blurry))
    damped = power(blur) + prior_strength * difference_power(frame.size, blurry)
    return frame.crop(from_spectrum(blur.conj() * observed * damped.reciprocal_(), frame.size))
