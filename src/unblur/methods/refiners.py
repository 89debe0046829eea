"""Learned priors as refiners: a restored photo is improved by one of them and fitted to the photo again."""

from __future__ import annotations

from functools import cache
from typing import Literal, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import UsageError
from unblur.methods.catalog import find_entry
from unblur.methods.transforms import Encode
from unblur.solvers.plug_and_play import PlugAndPlay
from unblur.system.imports import load_object

__all__ = ["Refiner", "load_refiner", "refine"]

_STEPS = 1
_PULL = 0.5
"""Chosen on twelve synthetic photos of BSDS500 train with the kernels that `map` found: with the weights of golf that
ship, more steps or a weaker pull lose up to 0.4 dB, and this neither gains nor loses."""

Images = Float[Tensor, "b c h w"]


class Refiner(Protocol):
    """A learned prior on images."""

    def improve(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """An image that the prior takes for sharper; sRGB-encoded, not clamped."""
        ...


@cache
def load_refiner(name: str) -> Refiner:
    """The refiner of that name; its weights are loaded once for all photos of a process.

    Raises:
        UsageError: No such refiner.
    """
    entry = find_entry(name)
    if not entry.refiner:
        raise UsageError(f"the method {name} has no learned prior to refine with")
    return load_object(entry.refiner)()


def refine(
    blurry: Images,
    kernel: Float[Tensor, "1 1 kh kw"],
    restored: Images,
    *,
    encoding: Literal["encoded", "linear"],
    refiner: Refiner,
) -> Images:
    """The restored photo, nearer to what the learned prior takes for sharp and as consistent with the photo.

    Args:
        blurry: sRGB-encoded, in [0, 1], of any number of channels.
        kernel: The kernel that was found.
        restored: Deconvolved with it; sRGB-encoded.
        encoding: Where it blurs.
        refiner: The learned prior.
    """
    encode = Encode(encoding)

    def improve(image: Tensor) -> Tensor:
        improved = _improve_channels(encode.backward(image), refiner)
        return encode.forward(improved.clamp(0, 1) if encoding == "linear" else improved)

    start = encode.forward(restored.clamp(0, 1) if encoding == "linear" else restored)
    iteration = PlugAndPlay(encode.forward(blurry), kernel, start, improve, steps=_STEPS, pull=_PULL)
    return encode.backward(iteration.run())


def _improve_channels(image: Tensor, refiner: Refiner) -> Tensor:
    """Each channel of what is not RGB is treated as a grey photo."""
    if image.shape[1] == 3:
        return refiner.improve(image)
    channels = [refiner.improve(one.expand(-1, 3, -1, -1)).mean(1, keepdim=True) for one in image.split(1, dim=1)]
    return torch.cat(channels, dim=1)
