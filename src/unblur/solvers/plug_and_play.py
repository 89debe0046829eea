"""Deconvolution under a prior that is only known as something that improves images: a denoiser, a learned network.

Half-quadratic splitting with the improver in the place of the prior's proximal map: Venkatakrishnan, Bouman, Wohlberg,
"Plug-and-play priors for model based reconstruction" (GlobalSIP 2013).
"""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from unblur.blur.fft import from_spectrum, multiply_conjugate, spectrum
from unblur.solvers.differences import Images
from unblur.solvers.iteration import Iteration
from unblur.solvers.operators import FramedBlur

__all__ = ["PlugAndPlay"]


class PlugAndPlay(Iteration):
    """In turns: improve the image, then the minimiser of `|k * x - y|^2 + pull |x - improved|^2`.

    Args:
        blurry: In [0, 1].
        kernel: Sum 1, odd sizes.
        start: Image to begin with, such as that of another solver; of the size of `blurry`.
        improve: Returns an image of the same size.
        steps: How often.
        pull: How much the improved image counts against the photo, of frequencies that the kernel keeps whole.
        record: See `Iteration`; the history is that of `residual`, the root mean square of reblurred minus blurry.
    """

    def __init__(
        self,
        blurry: Images,
        kernel: Float[Tensor, "1 1 kh kw"],
        start: Images,
        improve: Callable[[Images], Images],
        *,
        steps: int,
        pull: float,
        record: bool = False,
    ) -> None:
        super().__init__(steps, record=record)
        self._frame, self._operator = FramedBlur.around(blurry, kernel)
        self._blurry, self._improve, self._pull = blurry, improve, pull
        self._kept = multiply_conjugate(self._operator.spectrum, spectrum(self._frame.extend(blurry)))
        self._share = 1 / (self._operator.power + pull)
        self._latent = start

    @property
    @override
    def latent(self) -> Tensor:
        return self._latent

    @override
    def advance(self) -> None:
        """Improve, then draw back to the photo."""
        wanted = spectrum(self._frame.extend(self._improve(self._latent)))
        framed = from_spectrum((self._kept + self._pull * wanted) * self._share, self._frame.size)
        self._latent = self._frame.crop(framed)

    @override
    def measure(self) -> dict[str, float]:
        """How far the reblurred estimate is from the photo."""
        reblurred = self._frame.crop(self._operator.apply(self._frame.extend(self._latent)))
        return {"residual": float((reblurred - self._blurry).square().mean().sqrt())}
