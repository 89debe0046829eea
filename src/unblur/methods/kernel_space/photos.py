"""Learned blur for photos of any size: the operator works in windows, each with a code of its own.

The blur at a place of the target comes from the same relative place of the source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.borders import Padding, crop_padding, pad_reflect
from unblur.errors import CheckpointError, ShapeError
from unblur.methods.kernel_space.model import KernelSpace
from unblur.methods.kernel_space.operations import apply_code, extract_code, sample_code
from unblur.methods.kernel_space.windows import Window, blend, cut

__all__ = ["FoundBlur", "blur_by_sample", "find_blur", "transfer_to_photo"]

_OVERLAP = 4
"""Windows share at least the fourth part of a side."""

Photo = Float[Tensor, "1 c h w"]
Other = Float[Tensor, "1 c2 h2 w2"]
"""A photo whose size is checked, or may differ."""


@dataclass(frozen=True)
class FoundBlur:
    """The blur of a pair by window.

    Attributes:
        codes: Code of each window of the pair.
        centres: Where the windows are, as shares of height and width.
        side: Side of the windows in pixels.
    """

    codes: list[Tensor]
    centres: list[tuple[float, float]]
    side: int

    def at(self, down: float, right: float) -> Tensor:
        """The code nearest to a place, given as shares of height and width."""
        distances = [(row - down) ** 2 + (column - right) ** 2 for row, column in self.centres]
        return self.codes[distances.index(min(distances))]


def find_blur(network: KernelSpace, sharp: Photo, blurry: Other, side: int) -> FoundBlur:
    """The blur between two photos of one scene.

    Args:
        network: Has the extractor.
        sharp: In [0, 1], in grey or colour.
        blurry: Blurry image of the same size.
        side: Side of the windows, see `window_of`.

    Raises:
        ShapeError: The photos differ in size.
    """
    if sharp.shape[-2:] != blurry.shape[-2:]:
        sizes = ("x".join(map(str, image.shape[:-3:-1])) for image in (sharp, blurry))
        raise ShapeError("the photos of a pair have one size, not {} and {}".format(*sizes))
    (whole_sharp, _), (whole_blurry, _) = _filled(sharp, side), _filled(blurry, side)
    windows = _windows_of(whole_sharp, side)
    codes = [extract_code(network, window.of(whole_sharp), window.of(whole_blurry)) for window in windows]
    return FoundBlur(codes, [_centre(window, whole_sharp) for window in windows], side)


def transfer_to_photo(network: KernelSpace, blur: FoundBlur, target: Photo) -> Photo:
    """A sharp photo under a blur that was found; photos of any size."""
    return _blurred(network, target, blur.side, blur.at)


def blur_by_sample(network: KernelSpace, target: Photo, side: int, generator: torch.Generator) -> Photo:
    """A sharp photo under a sampled blur, the same in all windows.

    Raises:
        CheckpointError: The network has not learned how codes are distributed.
    """
    if not network.variational:
        raise CheckpointError("has no distribution of blurs to draw from; blurs are invented by variational weights")
    code = sample_code(network, side, side, generator).to(target)
    return _blurred(network, target, side, lambda _down, _right: code)


def _blurred(network: KernelSpace, target: Photo, side: int, code_at: Callable[[float, float], Tensor]) -> Photo:
    whole, padding = _filled(target, side)
    windows = _windows_of(whole, side)

    def apply(window: Window) -> Tensor:
        return apply_code(network, window.of(whole), code_at(*_centre(window, whole)))

    blurred = crop_padding(blend(whole, windows, apply, side // _OVERLAP), padding)
    return blurred if target.shape[1] == 3 else blurred.mean(1, keepdim=True)


def _filled(photo: Photo, side: int) -> tuple[Float[Tensor, "1 3 h2 w2"], Padding]:
    """In colour, and continued by its mirror image to one window at least."""
    height, width = photo.shape[-2:]
    padding = Padding(0, max(side - width, 0), 0, max(side - height, 0))
    return pad_reflect(photo.expand(-1, 3, -1, -1), padding), padding


def _windows_of(whole: Tensor, side: int) -> list[Window]:
    return cut(whole.shape[-2], whole.shape[-1], side, side // _OVERLAP)


def _centre(window: Window, whole: Tensor) -> tuple[float, float]:
    height, width = whole.shape[-2:]
    return (window.top + window.height / 2) / height, (window.left + window.width / 2) / width
