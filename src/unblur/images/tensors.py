"""Arrays to tensors and back, sRGB to linear light and back, brightness, turns."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from unblur.errors import ShapeError
from unblur.images.filling import fill_hidden

__all__ = [
    "BT601",
    "BT709",
    "array_to_tensor",
    "brightness",
    "fill_unknown",
    "linear_to_srgb",
    "resized",
    "round_to_8_bits",
    "srgb_to_linear",
    "tensor_to_array",
    "turned",
]

# IEC 61966-2-1. The two pieces meet where the linear one ends, so each threshold is the other's image.
_LINEAR_SLOPE, _OFFSET, _EXPONENT = 12.92, 0.055, 2.4
_ENCODED_THRESHOLD = 0.04045
_LINEAR_THRESHOLD = _ENCODED_THRESHOLD / _LINEAR_SLOPE

BT601 = (0.299, 0.587, 0.114)
BT709 = (0.2125, 0.7154, 0.0721)
"""Shares of red, green and blue in brightness; the second as scikit-image has them."""


def array_to_tensor(array: NDArray[np.float32]) -> Float[Tensor, "1 c h w"]:
    """A tensor `(1, C, H, W)` of an array `(H, W, C)`; the array is copied, never shared.

    Raises:
        ShapeError: Not three dimensions.
    """
    if array.ndim != 3:
        raise ShapeError(f"expected an array (height, width, channels), got shape {array.shape}")
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)[None]).copy())


def tensor_to_array(tensor: Float[Tensor, "1 c h w"]) -> NDArray[np.float32]:
    """An array `(H, W, C)` of a tensor `(1, C, H, W)` on any device.

    Raises:
        ShapeError: Not one image.
    """
    if tensor.ndim != 4 or tensor.shape[0] != 1:
        raise ShapeError(f"expected one image (1, channels, height, width), got shape {tuple(tensor.shape)}")
    # Always a copy: a tensor on the CPU would lend its memory otherwise.
    return np.array(tensor.detach()[0].permute(1, 2, 0).float().cpu().numpy(), order="C")


def srgb_to_linear(image: Tensor) -> Tensor:
    """Linear light of sRGB-encoded values (IEC 61966-2-1); odd about 0, so that values below it keep their sign."""
    size = image.abs()
    # The clamp keeps the gradient of the piece that is not chosen finite.
    curve = ((size.clamp(min=_ENCODED_THRESHOLD) + _OFFSET) / (1 + _OFFSET)) ** _EXPONENT
    return torch.where(size <= _ENCODED_THRESHOLD, image / _LINEAR_SLOPE, curve.copysign(image))


def linear_to_srgb(image_linear: Tensor) -> Tensor:
    """Encode linear light as sRGB: the inverse of `srgb_to_linear`."""
    size = image_linear.abs()
    curve = (1 + _OFFSET) * size.clamp(min=_LINEAR_THRESHOLD) ** (1 / _EXPONENT) - _OFFSET
    return torch.where(size <= _LINEAR_THRESHOLD, image_linear * _LINEAR_SLOPE, curve.copysign(image_linear))


def brightness(image: Float[Tensor, "b c h w"], shares: tuple[float, float, float] = BT601) -> Float[Tensor, "b 1 h w"]:
    """The brightness of an RGB image by shares of its channels; of any other number of channels their mean."""
    if image.shape[1] != len(shares):
        return image.mean(1, keepdim=True)
    return (image * image.new_tensor(shares).view(1, -1, 1, 1)).sum(1, keepdim=True)


def round_to_8_bits(image: Tensor) -> Tensor:
    """Values clamped to [0, 1] and rounded to the 256 levels of a file."""
    return (image.clamp(0, 1) * 255).round() / 255


def resized(image: Float[Tensor, "b c h w"], height: int, width: int) -> Float[Tensor, "b c {height} {width}"]:
    """The image at another size, bilinear and without aliasing; itself where it has that size."""
    if tuple(image.shape[-2:]) == (height, width):
        return image
    return F.interpolate(image, (height, width), mode="bilinear", antialias=True)


def fill_unknown(image: Float[Tensor, "1 c h w"], known: NDArray[np.bool_]) -> Float[Tensor, "1 c h w"]:
    """The image with a smooth continuation of the known pixels in the place of all others.

    Args:
        image: Where it is known, its values stay as they are.
        known: `(H, W)`.
    """
    filled = fill_hidden(tensor_to_array(image), known[..., None].astype(np.float32))
    seen = torch.from_numpy(known.copy()).to(image.device)
    return torch.where(seen, image, array_to_tensor(filled).to(image))


def turned(image: Tensor, quarter_turns: int, mirrored: bool) -> Tensor:
    """An image `(..., H, W)` in one of its eight positions: turned to the left, then mirrored left to right."""
    answer = torch.rot90(image, quarter_turns, (-2, -1))
    return (answer.flip(-1) if mirrored else answer).contiguous()
