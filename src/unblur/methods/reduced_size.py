"""A large photo at a reduced size: options and kernels in pixels there, and in pixels of the photo itself."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from unblur.blur.kernels import kernel_axes
from unblur.images.large import Image
from unblur.methods.base import Step, StepHook
from unblur.methods.options import Region, RestoreOptions

__all__ = ["Size", "enlarge_kernel", "extent_of", "options_at", "size_of", "steps_at"]

_WHOLLY = 0.999
"""Share of a pixel that is marked, from which all of it is."""

Kernel = Float[Tensor, "1 1 k k"]


class Size(NamedTuple):
    """Of a photo, in pixels."""

    height: int
    width: int


def size_of(image: Image) -> Size:
    """The size of an image."""
    return Size(image.shape[-2], image.shape[-1])


def options_at(size: Size, photo: Size, options: RestoreOptions) -> RestoreOptions:
    """The same options for the photo at another size.

    Args:
        size: The other size.
        photo: Its own size, which the options are for.
        options: Kernel size, region and mask are in pixels.
    """
    if size == photo:
        return options
    down, right = size.height / photo.height, size.width / photo.width
    box = options.kernel_size
    return replace(
        options,
        region=options.region and _region_at(size, options.region, down, right),
        mask=None if options.mask is None else _mask_at(size, options.mask),
        kernel_size=box and max(3, round(box * max(down, right)) // 2 * 2 + 1),
    )


def _region_at(size: Size, region: Region, down: float, right: float) -> Region:
    x, y = min(int(region.x * right), size.width - 1), min(int(region.y * down), size.height - 1)
    width, height = max(1, int(region.width * right)), max(1, int(region.height * down))
    return Region(x, y, min(width, size.width - x), min(height, size.height - y))


def _mask_at(size: Size, mask: NDArray[Any]) -> NDArray[np.bool_]:
    """Pixels that are marked all over; where there is none, those that are marked most, so that something stays."""
    shares = functional.interpolate(torch.from_numpy(mask.copy())[None, None].float(), tuple(size), mode="area")[0, 0]
    return (shares >= min(_WHOLLY, float(shares.max()))).numpy()


def extent_of(kernel: Kernel) -> float:
    """Length in pixels of a straight motion that is spread as far as the kernel."""
    return kernel_axes(kernel).along * 12**0.5


def enlarge_kernel(kernel: Kernel, size: Size, photo: Size) -> Float[Tensor, "1 1 n n"]:
    """The kernel of a photo at a reduced size, in pixels of the photo itself; its middle stays the middle."""
    if size == photo:
        return kernel
    factor, reach = photo.height / size.height, kernel.shape[-1] // 2
    wide = math.ceil(factor * (reach + 0.5))
    # From -1 to 1 across the kernel's pixel centres.
    steps = torch.arange(-wide, wide + 1, dtype=kernel.dtype, device=kernel.device) / (factor * max(reach, 1))
    places = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1)[None]
    larger = functional.grid_sample(kernel, places, mode="bicubic", padding_mode="zeros", align_corners=True)
    larger = larger.clamp_min(0)
    return larger / larger.sum()


def steps_at(size: Size, photo: Size, on_step: StepHook) -> StepHook:
    """A hook for work at a reduced size, whose kernels are passed on as those of a coarse level of the photo."""
    share = size.height / photo.height
    if share == 1:
        return on_step

    def on_small(step: Step) -> None:
        blur = step.blur and replace(step.blur, scale=step.blur.scale * share)
        on_step(replace(step, blur=blur))

    return on_small
