"""A kernel from several looks: at the photo in several of its eight positions, as the mean of what is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import from_spectrum, good_size, kernel_spectrum, multiply_conjugate
from unblur.images.tensors import turned, turned_back

__all__ = ["POSITIONS", "look_turned"]

POSITIONS = tuple((turns, mirrored) for mirrored in (False, True) for turns in (0, 2, 1, 3))
"""Quarter turns to the left, and whether the photo is then mirrored; the photo as it is first."""

Kernel = Float[Tensor, "1 1 k k"]


def look_turned(photo: Float[Tensor, "1 c h w"], find: Callable[[Tensor], Kernel], count: int) -> Kernel:
    """The mean of the kernels that are found in a photo in the first so many of its positions.

    A network that has learned from photos in all positions errs differently in each.

    Args:
        photo: Any.
        find: Finds the kernel of a photo.
        count: Number of positions, 1 to 8.
    """
    found = [turned_back(find(turned(photo, *position)), *position) for position in POSITIONS[:count]]
    return _mean(found)


def _mean(kernels: Sequence[Kernel]) -> Kernel:
    """Each moved by whole pixels to where it is most like the first."""
    first, *others = kernels
    return torch.stack([first, *(_moved_to(first, one) for one in others)]).mean(0)


def _moved_to(target: Kernel, kernel: Kernel) -> Kernel:
    side = good_size(2 * kernel.shape[-1])
    own, wanted = (kernel_spectrum(one, (side, side)) for one in (kernel, target))
    likeness = from_spectrum(multiply_conjugate(own, wanted), (side, side))
    down, right = divmod(int(likeness.argmax()), side)
    shift = [place - side if place > side // 2 else place for place in (down, right)]
    return torch.roll(kernel, shift, (-2, -1))
