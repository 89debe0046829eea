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

__all__ = [
    "FIRST_ASKED",
    "Verdict",
    "choose_network",
    "decide_encoding",
    "informative_part",
    "is_settled",
    "judge_kernel",
    "prefers_line",
]

_SAMPLE = 120_000
"""An answer is judged on no more than about so many pixels, those with most edges."""
_STRAIGHT, _SHAKE = "linear", "motion"
"""The networks that were trained on straight motion alone, and on camera shake."""
FIRST_ASKED = {False: _STRAIGHT, True: _SHAKE}
"""The network whose answer may make the other's unnecessary, by whether kernels are polished. Polished kernels of that
for camera shake are as good as those of the other under straight motion (24 photos of BSDS500 train and val: 27.9 and
28.0 dB) and better under shake (26.2 and 24.7); the better score of both gives 28.0 and 25.8."""
_HEAD_START = {_STRAIGHT: 0.03}
"""By how much the score of a network's answer may be worse than that of another. The network for camera shake explains
straight motion, too, and scores well with images that are worse. On 91 photos of BSDS500 train, blurred along lines or
by camera shake, in either encoding, with noise up to 0.02 and some JPEG, the choice gives 24.72 and 25.05 dB, the
network for shake alone 22.49 and 24.88, that for straight motion 24.89 and 24.08."""
_NARROW, _SLENDER = 0.65, 0.2
"""Spread across, in pixels and as a share of that along, up to which a kernel of that network is a straight line. On
32 photos of straight motion it is up to 0.56 pixels and 0.16, on the 32 photos of Levin et al. 0.8 and 0.18 or more."""

_LINE_BONUS = 0.02
"""By how much the score of a line may be worse than that of the kernel in whose place it is. On 24 photos of BSDS500
train and val under straight motion the lines so chosen gain 0.5 dB on the polished kernels, on 24 under shake -0.1."""


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


def informative_part(
    blurry: Float[Tensor, "1 c h w"], kernel: Float[Tensor, "1 1 k k"], options: RestoreOptions
) -> Float[Tensor, "1 1 ph pw"]:
    """The brightness of that part of a photo on which its kernels are judged.

    Args:
        blurry: sRGB-encoded, in [0, 1].
        kernel: Of the size of those kernels.
        options: The region is heeded.
    """
    return crop_informative(crop_region(brightness(blurry), options.region), _SAMPLE, 2 * kernel.shape[-1])


def decide_encoding(
    part: Float[Tensor, "1 1 h w"], kernel: Float[Tensor, "1 1 k k"], options: RestoreOptions
) -> BlurEncoding:
    """Where a kernel blurs: as the caller says, or where it explains the part of the photo better."""
    return choose_encoding(part, kernel) if options.encoding == "auto" else options.encoding


def judge_kernel(
    part: Float[Tensor, "1 1 h w"], kernel: Float[Tensor, "1 1 k k"], encoding: BlurEncoding, smoothness: float
) -> Verdict:
    """What a part of the photo deconvolved with a kernel says of it.

    Args:
        part: sRGB-encoded, in [0, 1].
        kernel: Odd size, sum 1.
        encoding: Where it blurs.
        smoothness: As of the final image.
    """
    image = restore_with_kernel(part, kernel, encoding=encoding, smoothness=smoothness)
    judgement = judge(part, kernel, image.clamp(0, 1), encoding)
    return Verdict(judgement, encoding, find_fault(kernel, judgement))


def prefers_line(line: Verdict, kernel: Verdict) -> bool:
    """Whether a line fitted to the photo is to replace the kernel that it was fitted from."""
    return line.fault is None and line.judgement.score < kernel.judgement.score + _LINE_BONUS


def is_settled(network: str, kernel: Float[Tensor, "1 1 k k"], verdict: Verdict, *, polished: bool) -> bool:
    """Whether no other network need be asked.

    That for straight motion has found straight motion, or that for camera shake, whose kernel was polished, a kernel
    that nothing speaks against.
    """
    if network != FIRST_ASKED[polished] or verdict.fault is not None:
        return False
    axes = kernel_axes(kernel)
    return polished or axes.across <= min(_NARROW, _SLENDER * axes.along)


def choose_network(verdicts: Mapping[str, Verdict]) -> str:
    """The name of the network with the best answer; one that nothing speaks against comes before others."""
    return min(
        verdicts,
        key=lambda name: (
            verdicts[name].fault is not None,
            verdicts[name].judgement.score - _HEAD_START.get(name, 0.0),
        ),
    )
