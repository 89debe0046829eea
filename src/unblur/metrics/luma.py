"""The luma of a colour image, for scores of one channel alone."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from unblur.errors import ShapeError
from unblur.images.tensors import BT601, BT709, brightness

__all__ = ["luma_full_range", "luma_matlab_studio", "luma_skimage"]


def luma_matlab_studio(image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 h w"]:
    """Y of MATLAB's `rgb2ycbcr`: studio range, black 16 / 255 and white 235 / 255; not rounded to whole levels.

    Contrast is 219 / 255 of the image's, so a PSNR of it is higher by 1.3 dB for the same grey error.

    Args:
        image: sRGB or grey, [0, 1].
    """
    return (16 + 219 * luma_full_range(image)) / 255


def luma_full_range(image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 h w"]:
    """`0.299 R + 0.587 G + 0.114 B`, as MATLAB's `rgb2gray` before it rounds; a grey image stays as it is.

    Raises:
        ShapeError: Neither one channel nor three.
    """
    return _checked(image, BT601)


def luma_skimage(image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 h w"]:
    """`0.2125 R + 0.7154 G + 0.0721 B`, as scikit-image's `rgb2gray`; a grey image stays as it is.

    Raises:
        ShapeError: Neither one channel nor three.
    """
    return _checked(image, BT709)


def _checked(image: Tensor, shares: tuple[float, float, float]) -> Tensor:
    if image.shape[1] not in {1, 3}:
        raise ShapeError(f"luma needs one channel or three, not {image.shape[1]}")
    return brightness(image, shares)
