"""Which network's answer a photo gets, and whether that is one to give: judged without the true image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from unblur.blur.kernels import kernel_axes
from unblur.images.tensors import brightness
from unblur.methods.kernel_search.answer_quality import Judgement, find_fault, judge
from unblur.methods.options import BlurEncoding, RestoreOptions
from unblur.methods.region import crop_informative, crop_region
from unblur.solvers.photo import choose_encoding, restore_with_kernel

__all__ = ["Verdict", "choose_network", "is_settled", "judge_kernel"]

_SAMPLE = 120_000
"""An answer is judged on no more than about so many pixels, those with most edges."""
_STRAIGHT = "linear"
"""The network that was trained on straight motion alone."""
_HEAD_START = {_STRAIGHT: 0.03}
"""By how much the score of a network's answer may be worse than that of another. The network for camera shake explains
straight motion, too, and scores well with images that are worse. On 91 photos of BSDS500 train, blurred along lines or
by camera shake, in either encoding, with noise up to 0.02 and some JPEG, the choice gives 24.72 and 25.05 dB, the
network for shake alone 22.49 and 24.88, that for straight motion 24.89 and 24.08."""
_NARROW, _SLENDER = 0.65, 0.2
"""Spread across, in pixels and as a share of that along, up to which a kernel of that network is a straight line. On
32 photos of straight motion it is up to 0.56 pixels and 0.16, on the 32 photos of Levin et al. 0.8 and 0.18 or more."""


class Verdict(NamedTuple):
    """What is known of an answer.

    Attributes:
        judgement: Measures of the photo deconvolved with the kernel.
        encoding: Where the kernel blurs.
        fault: See `find_fault`.
    """

    judgement: Judgement
    encoding: BlurEncoding
    fault: str | None


def judge_kernel(
    blurry: Float[Tensor, "1 c h w"], kernel: Float[Tensor, "1 1 k k"], options: RestoreOptions, smoothness: float
) -> Verdict:
    """What the photo's brightness deconvolved with a kernel says of it.

    Args:
        blurry: sRGB-encoded, in [0, 1].
        kernel: Odd size, sum 1.
        options: Encoding and region are heeded.
        smoothness: As of the final image.
    """
    sample = crop_informative(crop_region(brightness(blurry), options.region), _SAMPLE, 2 * kernel.shape[-1])
    encoding = choose_encoding(sample, kernel) if options.encoding == "auto" else options.encoding
    image = restore_with_kernel(sample, kernel, encoding=encoding, smoothness=smoothness)
    judgement = judge(sample, kernel, image.clamp(0, 1), encoding)
    return Verdict(judgement, encoding, find_fault(kernel, judgement))


def is_settled(network: str, kernel: Float[Tensor, "1 1 k k"], verdict: Verdict) -> bool:
    """Whether no other network need be asked: that for straight motion has found straight motion."""
    if network != _STRAIGHT or verdict.fault is not None:
        return False
    axes = kernel_axes(kernel)
    return axes.across <= min(_NARROW, _SLENDER * axes.along)


def choose_network(verdicts: Mapping[str, Verdict]) -> str:
    """The name of the network with the best answer; one that nothing speaks against comes before others."""
    return min(
        verdicts,
        key=lambda name: (
            verdicts[name].fault is not None,
            verdicts[name].judgement.score - _HEAD_START.get(name, 0.0),
        ),
    )
