"""What can be done with a space of blurs: estimation, application to a photo, transfer and sampling.

Photos are `(B, C, H, W)` in [0, 1], sRGB-encoded as those of the training pairs were; answers are clamped.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import ShapeError
from unblur.methods.kernel_space.model import KernelSpace

__all__ = ["apply_code", "extract_code", "sample_blur", "sample_code", "transfer_blur"]

Image = Float[Tensor, "b c h w"]
Other = Float[Tensor, "b c h2 w2"]
"""An image of another size."""
Code = Float[Tensor, "b k gh gw"]

_SPREAD = 1.2
"""Deviation of invented codes, as released: wider than in training, for stronger blurs."""


@torch.no_grad()
def extract_code(network: KernelSpace, sharp: Image, blurry: Image) -> Code:
    """The code of the blur between two photos of one scene.

    Raises:
        ShapeError: The photos differ in size.
    """
    return network.extract(sharp, blurry).mean


@torch.no_grad()
def apply_code(network: KernelSpace, sharp: Image, code: Code) -> Image:
    """The photo under the blur of a code.

    Raises:
        ShapeError: The code is for photos of another size.
    """
    return network.blur(sharp, code).clamp(0, 1)


def transfer_blur(network: KernelSpace, source_sharp: Image, source_blurry: Image, target_sharp: Other) -> Other:
    """The target under the blur of a source pair.

    Raises:
        ShapeError: The photos of the source differ in size, or the target needs a code of another size.
    """
    if network.code_shape(*source_sharp.shape[-2:]) != network.code_shape(*target_sharp.shape[-2:]):
        sizes = ("x".join(map(str, image.shape[:-3:-1])) for image in (source_sharp, target_sharp))
        raise ShapeError("blur is carried between photos of one size, not from {} to {}; crop one".format(*sizes))
    return apply_code(network, target_sharp, extract_code(network, source_sharp, source_blurry))


def sample_code(
    network: KernelSpace,
    height: int,
    width: int,
    generator: torch.Generator,
    *,
    count: int = 1,
    spread: float = _SPREAD,
) -> Code:
    """Codes of sampled blurs for photos of a size, on the processor: normal, each number by itself.

    They only mean something to a variational network, whose codes are kept near such a distribution in training.

    Args:
        network: Says how large a code is.
        height: Height of the photos in pixels.
        width: Width of the photos in pixels.
        generator: Source of random numbers.
        count: How many codes.
        spread: Standard deviation.
    """
    return spread * torch.randn((count, *network.code_shape(height, width)), generator=generator)


def sample_blur(network: KernelSpace, sharp: Image, generator: torch.Generator, *, spread: float = _SPREAD) -> Image:
    """Photos under a sampled blur each; see `sample_code`."""
    count, _, height, width = sharp.shape
    code = sample_code(network, height, width, generator, count=count, spread=spread)
    return apply_code(network, sharp, code.to(sharp))
