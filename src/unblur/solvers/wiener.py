"""Linear deconvolution with a quadratic smoothness prior."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import from_spectrum, spectrum
from unblur.solvers.differences import Images, difference_power
from unblur.solvers.operators import FramedBlur

__all__ = ["deconvolve_wiener"]


def deconvolve_wiener(blurry: Images, kernel: Float[Tensor, "#b n kh kw"], *, prior_strength: float) -> Tensor:
    """The minimiser of `|k * x - y|^2 + prior_strength * |grad x|^2`.

    A Wiener filter for images whose power falls with the square of the frequency: `prior_strength` is then the
    variance of the noise over that of the gradients.

    Args:
        blurry: Noise and blur as they are; outside, the photo is continued smoothly.
        kernel: Sum 1, odd sizes; several: one for each channel, and the channels are photos of one image.
        prior_strength: Above 0, for images in [0, 1].
    """
    frame, operator = FramedBlur.around(blurry, kernel)
    observed = spectrum(frame.extend(blurry))
    damped = operator.power + prior_strength * difference_power(frame.size, blurry)
    back_projected = operator.gather(operator.spectrum.conj() * observed)
    return frame.crop(from_spectrum(back_projected * damped.reciprocal_(), frame.size))
