"""Motion fields as pictures: every direction a colour, and arrows over the photo."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from unblur.errors import ShapeError

__all__ = ["draw_arrows", "draw_wheel"]

_SPACING = 32
"""Pixels between arrows."""
_SHORTEST = 2.0
"""Pixels; less motion is shown as a dot."""
_HEAD = 0.3
"""Length of an arrow's head, as a share of the arrow."""
_HEAD_ANGLE = math.radians(25)


def draw_wheel(field: NDArray[np.float32], longest: float = 0.0) -> NDArray[np.uint8]:
    """`(H, W, 3)`: direction as hue, length as saturation; white is no motion.

    A motion and its reverse blur alike, so they have one colour: the hue turns once in half a turn of the direction.

    Args:
        field: `(H, W, 2)`, (right, down) in pixels.
        longest: Length that is shown in full colour; 0: the longest in the field.

    Raises:
        ShapeError: Not such a field.
    """
    _check(field)
    right, down = field[..., 0].astype(np.float64), field[..., 1].astype(np.float64)
    length = np.hypot(right, down)
    saturation = np.clip(length / (longest or max(float(length.max()), 1e-6)), 0, 1)[..., None]
    hue = (np.arctan2(-down, right) / np.pi) % 1.0
    # The three sides of the colour hexagon, each a ramp of the hue.
    pure = np.clip(np.abs((6 * hue[..., None] + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1, 0, 1)
    return np.round(255 * (1 - saturation * (1 - pure))).astype(np.uint8)


def draw_arrows(photo: NDArray[np.uint8], field: NDArray[np.float32]) -> NDArray[np.uint8]:
    """`(H, W, 3)`: the photo with the way of every 32nd pixel, at its true length, with the pixel in the middle.

    Args:
        photo: `(H, W, 3)`.
        field: `(H, W, 2)`, (right, down) in pixels.

    Raises:
        ShapeError: Not such a field, or one of another size.
    """
    _check(field)
    if photo.shape != (*field.shape[:2], 3):
        raise ShapeError(f"expected a photo of shape {(*field.shape[:2], 3)} under the arrows, got {photo.shape}")
    image = Image.fromarray(photo)
    pen = ImageDraw.Draw(image)
    height, width = field.shape[:2]
    for y in range(min(_SPACING, height) // 2, height, _SPACING):
        for x in range(min(_SPACING, width) // 2, width, _SPACING):
            right, down = (float(value) for value in field[y, x])
            # Dark below light, so that it is seen on any ground.
            for colour, line in (((0, 0, 0), 3), ((255, 255, 0), 1)):
                _draw_arrow(pen, (x, y), (right, down), colour, line)
    return np.asarray(image)


def _draw_arrow(
    pen: ImageDraw.ImageDraw,
    middle: tuple[int, int],
    motion: tuple[float, float],
    colour: tuple[int, int, int],
    line: int,
) -> None:
    (x, y), (right, down) = middle, motion
    length = math.hypot(right, down)
    if length < _SHORTEST:
        pen.ellipse((x - line / 2, y - line / 2, x + line / 2, y + line / 2), fill=colour)
        return
    tip = x + right / 2, y + down / 2
    pen.line((x - right / 2, y - down / 2, *tip), fill=colour, width=line)
    back = math.atan2(-down, -right)
    for side in (back - _HEAD_ANGLE, back + _HEAD_ANGLE):
        reach = _HEAD * length
        pen.line((*tip, tip[0] + reach * math.cos(side), tip[1] + reach * math.sin(side)), fill=colour, width=line)


def _check(field: NDArray[np.float32]) -> None:
    if field.ndim != 3 or field.shape[2] != 2 or 0 in field.shape:
        raise ShapeError(f"expected a motion field of shape (height, width, 2), got {field.shape}")
