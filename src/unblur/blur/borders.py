"""What lies beyond the border of an image: the image continued as a boundary says, its adjoint, and padding."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

__all__ = ["Boundary", "Padding", "crop_padding", "extend", "extend_adjoint", "pad_reflect", "pad_to_multiple"]

Boundary = Literal["circular", "reflect", "replicate", "zeros", "valid"]
"""What lies outside the image: itself again, its mirror image about the border pixel, the border pixel, nothing;
`"valid"` keeps only those pixels for which the question does not arise."""


class Padding(NamedTuple):
    """Pixels added on each side."""

    left: int
    right: int
    top: int
    bottom: int


def extend(image: Float[Tensor, "b c h w"], margin: tuple[int, int], boundary: Boundary) -> Float[Tensor, "b c eh ew"]:
    """The image with `margin` (rows, columns) more pixels on each side; the margin may exceed the image."""
    if boundary == "zeros":
        return F.pad(image, (margin[1], margin[1], margin[0], margin[0]))
    for axis, width in zip((-2, -1), margin, strict=True):
        if width:
            image = image.index_select(axis, _sources(image.shape[axis], (width, width), boundary, image.device))
    return image


def extend_adjoint(
    image: Float[Tensor, "b c eh ew"], margin: tuple[int, int], boundary: Boundary
) -> Float[Tensor, "b c h w"]:
    """The adjoint of `extend`: each pixel of the margin is added to the pixel that it was copied from."""
    for axis, width in zip((-2, -1), margin, strict=True):
        size = image.shape[axis] - 2 * width
        inside = image.narrow(axis, width, size)
        if boundary != "zeros" and width:
            sources = _sources(size, (width, width), boundary, image.device)
            inside = torch.zeros_like(inside).index_add(axis, sources, image)
        image = inside
    return image


def pad_reflect(image: Float[Tensor, "b c h w"], padding: Padding) -> Float[Tensor, "b c h2 w2"]:
    """The image with its mirror image around it (edge pixels not repeated), for a padding of any size."""
    rows = _sources(image.shape[2], (padding.top, padding.bottom), "reflect", image.device)
    columns = _sources(image.shape[3], (padding.left, padding.right), "reflect", image.device)
    return image.index_select(2, rows).index_select(3, columns)


def pad_to_multiple(image: Float[Tensor, "b c h w"], multiple: int) -> tuple[Float[Tensor, "b c h2 w2"], Padding]:
    """The image, mirrored on the right and below until both sides are multiples, and what was added."""
    padding = Padding(0, -image.shape[3] % multiple, 0, -image.shape[2] % multiple)
    return pad_reflect(image, padding), padding


def crop_padding(image: Float[Tensor, "b c h w"], padding: Padding) -> Float[Tensor, "b c h2 w2"]:
    """The image without what `padding` added, a view."""
    height, width = image.shape[2:]
    return image[..., padding.top : height - padding.bottom, padding.left : width - padding.right]


def _sources(size: int, margin: tuple[int, int], boundary: Boundary, device: torch.device) -> Tensor:
    """Which pixel of a line of `size` each pixel of the line is a copy of that has a margin before and after it."""
    position = torch.arange(-margin[0], size + margin[1], device=device)
    if boundary == "circular":
        return position % size
    if boundary == "replicate":
        return position.clamp(0, size - 1)
    period = max(2 * (size - 1), 1)  # the mirror image of a mirror image, again and again
    position = position % period
    return torch.minimum(position, period - position) if size > 1 else position
