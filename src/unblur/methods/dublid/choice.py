"""Which network's answer a photo gets, and whether that is one to give: judged without the true image."""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from unblur.images.tensors import brightness
from unblur.methods.kernel_search.answer_quality import Judgement, judge
from unblur.methods.options import RestoreOptions
from unblur.methods.region import crop_informative, crop_region
from unblur.solvers.photo import choose_encoding, restore_with_kernel

__all__ = ["choose_network", "judge_kernel"]

_SAMPLE = 120_000
"""An answer is judged on no more than about so many pixels, those with most edges."""
_HEAD_START = {"linear": 0.03}
"""By how much the score of a network's answer may be worse than that of another. The network for camera shake explains
straight motion, too, and scores well with images that are worse. On 91 photos of BSDS500 train, blurred along lines or
by camera shake, in either encoding, with noise up to 0.02 and some JPEG, the choice gives 24.72 and 25.05 dB, the
network for shake alone 22.49 and 24.88, that for straight motion 24.89 and 24.08."""


def judge_kernel(
    blurry: Float[Tensor, "1 c h w"], kernel: Float[Tensor, "1 1 k k"], options: RestoreOptions, smoothness: float
) -> Judgement:
    """Measures of the photo's brightness deconvolved with a kernel.

    Args:
        blurry: sRGB-encoded, in [0, 1].
        kernel: Odd size, sum 1.
        options: Encoding and region are heeded.
        smoothness: As of the final image.
    """
    sample = crop_informative(crop_region(brightness(blurry), options.region), _SAMPLE, 2 * kernel.shape[-1])
    encoding = choose_encoding(sample, kernel) if options.encoding == "auto" else options.encoding
    image = restore_with_kernel(sample, kernel, encoding=encoding, smoothness=smoothness)
    return judge(sample, kernel, image.clamp(0, 1), encoding)


def choose_network(faults: Mapping[str, str | None], judgements: Mapping[str, Judgement]) -> str:
    """The name of the network with the best answer; one that nothing speaks against comes before others.

    Args:
        faults: What `find_fault` says of each answer.
        judgements: What `judge_kernel` measured of each.
    """
    return min(
        judgements, key=lambda name: (faults[name] is not None, judgements[name].score - _HEAD_START.get(name, 0.0))
    )
