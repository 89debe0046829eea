"""What a caller of `restore` may give as a photo, and how the answer takes the same form."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unblur.errors import ShapeError
from unblur.images.files import encode_image, read_image
from unblur.images.picture import Picture, Space

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ReceivedPhoto", "receive"]

_KINDS: dict[int, tuple[Space, bool]] = {1: ("grey", False), 2: ("grey", True), 3: ("rgb", False), 4: ("rgb", True)}
"""Channels of an array: colour space, whether the last one is alpha."""

_PLAIN_MODES = {"L", "LA", "RGB", "RGBA", "CMYK", "I;16", "F"}
_NEAREST_MODE = {"1": "L", "P": "RGBA", "PA": "RGBA", "RGBX": "RGB", "YCbCr": "RGB"}
"""Pillow modes whose samples are no brightness: restored in another mode, then changed back."""


@dataclass(frozen=True)
class ReceivedPhoto:
    """A photo in our form, and the way back to the caller's."""

    picture: Picture
    give_back: Callable[[Picture], Any]


def receive(blurry: object) -> ReceivedPhoto:
    """Take a path, the bytes of a file, a Pillow image or an array.

    Raises:
        TypeError: Something else, or an array or image of a type of number that is no brightness.
        ShapeError: An array that is not `(H, W)` or `(H, W, 1 to 4)`.
        ValueError: Floating-point values that are not finite, or far outside [0, 1].
        ReadError: A file that cannot be used.
    """
    if isinstance(blurry, str | os.PathLike):
        return ReceivedPhoto(read_image(Path(blurry)), lambda restored: restored)
    if isinstance(blurry, bytes | bytearray | memoryview):
        picture = read_image(bytes(blurry))
        return ReceivedPhoto(picture, lambda restored: encode_image(restored, picture.facts.written_as)[0])
    if isinstance(blurry, np.ndarray):
        return _receive_array(blurry)
    if _is_pillow(blurry):
        return _receive_pillow(blurry)  # pyright: ignore[reportArgumentType] - its class was just checked
    raise TypeError(
        f"blurry is a {type(blurry).__name__}; expected a path, bytes, a Pillow image, a NumPy array or a torch tensor"
    )


def _receive_array(blurry: NDArray[Any]) -> ReceivedPhoto:
    channels = 1 if blurry.ndim == 2 else blurry.shape[-1] if blurry.ndim == 3 else 0
    if channels not in _KINDS or blurry.size == 0:
        raise ShapeError(f"blurry has shape {blurry.shape}; (H, W) or (H, W, 1 to 4 channels) was expected")
    space, has_alpha = _KINDS[channels]
    picture = Picture(_samples(blurry).reshape(*blurry.shape[:2], channels), space, has_alpha)

    def give_back(restored: Picture) -> NDArray[Any]:
        if restored is picture:
            return blurry.copy()
        samples = restored.pixels.reshape(blurry.shape).astype(blurry.dtype)
        if has_alpha:
            samples[..., -1] = blurry[..., -1]  # in its own precision
        return samples

    return ReceivedPhoto(picture, give_back)


def _samples(blurry: NDArray[Any]) -> NDArray[Any]:
    """The array as `uint8`, `uint16` or `float32`, never the caller's own memory if it has to change."""
    if blurry.dtype.name in ("uint8", "uint16"):
        return blurry.astype(blurry.dtype.newbyteorder("="), copy=False)
    if blurry.dtype.name not in ("float16", "float32", "float64"):
        raise TypeError(f"blurry has numbers of type {blurry.dtype}; uint8, uint16 or floating point was expected")
    lowest, highest = float(blurry.min()), float(blurry.max())
    if not np.isfinite([lowest, highest]).all():
        raise ValueError("blurry has values that are not finite (NaN or infinite)")
    # A resampled image may overshoot a little; one on the scale of 0 to 255 is a mistake.
    if lowest < -1 or highest > 2:
        raise ValueError(f"blurry has values from {lowest:g} to {highest:g}; floating-point images are in [0, 1]")
    return blurry.astype(np.float32).clip(0, 1)


def _is_pillow(blurry: object) -> bool:
    return any(base.__module__ == "PIL.Image" and base.__name__ == "Image" for base in type(blurry).__mro__)


def _receive_pillow(blurry: Image) -> ReceivedPhoto:
    mode = _NEAREST_MODE.get(blurry.mode, blurry.mode)
    if mode not in _PLAIN_MODES:
        raise TypeError(
            f"blurry is a Pillow image of mode {blurry.mode}; convert it to one of {', '.join(_PLAIN_MODES)}"
        )
    plain = blurry.convert(mode) if mode != blurry.mode else blurry
    if mode == "CMYK":
        picture = Picture(np.asarray(plain), "cmyk")
        inner = ReceivedPhoto(picture, lambda restored: restored.pixels)
    else:
        inner = _receive_array(np.asarray(plain))

    def give_back(restored: Picture) -> Image:
        if restored is inner.picture:
            return blurry.copy()
        image = _pillow_from(inner.give_back(restored), mode).convert(blurry.mode)
        image.info = dict(blurry.info)
        return image

    return ReceivedPhoto(inner.picture, give_back)


def _pillow_from(samples: NDArray[Any], mode: str) -> Image:
    from PIL import Image  # noqa: PLC0415 - whoever gave a Pillow image has loaded it already

    little_endian = samples.astype(samples.dtype.newbyteorder("<"), copy=False)
    return Image.frombytes(mode, (samples.shape[1], samples.shape[0]), little_endian.tobytes())
