"""Distances of an answer from the truth, pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from jaxtyping import Float
from torch import Tensor

__all__ = ["Content", "content_loss", "log_mean_square", "mean_absolute", "mean_square"]

Content = Literal["mean-square", "mean-absolute", "log"]
"""Two terms that papers have, and the logarithm of the first, in which mild blur counts as much as strong blur."""

_FLOOR = 1e-3
"""Mean square at 30 dB."""


def mean_square(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Mean squared difference of each image over its channels and pixels, in float32 or better; nothing is cropped."""
    return (restored.float() - sharp.float()).square().mean((1, 2, 3))


def mean_absolute(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Mean size of the differences of each image over its channels and pixels, in float32 or better."""
    return (restored.float() - sharp.float()).abs().mean((1, 2, 3))


def log_mean_square(restored: Float[Tensor, "b c h w"], sharp: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Natural logarithm of `mean_square`: PSNR up to sign and unit, so that mild blur counts as much as strong blur.

    It flattens out beyond 30 dB of PSNR, or nothing would count beside what is sharp already.
    """
    return (mean_square(restored, sharp) + _FLOOR).log()


def content_loss(kind: Content) -> Callable[[Tensor, Tensor], Tensor]:
    """The function that a recipe names."""
    return {"mean-square": mean_square, "mean-absolute": mean_absolute, "log": log_mean_square}[kind]
