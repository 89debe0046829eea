"""A photo inside a larger circular frame, so that Fourier transforms do not see an edge where it ends."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import good_size

__all__ = ["Frame"]


@dataclass(frozen=True)
class Frame:
    """Where a photo lies in its frame.

    The frame is larger than the photo by at least the kernel's reach on either side, and of a size that transforms
    quickly.

    Attributes:
        photo: Height and width of the photo.
        size: Height and width of the frame.
    """

    photo: tuple[int, int]
    size: tuple[int, int]

    @classmethod
    def around(cls, photo: tuple[int, int], kernel: tuple[int, int]) -> Frame:
        """The smallest quick frame for a photo and a kernel of these (height, width)."""
        sides = [good_size(length + reach - 1) for length, reach in zip(photo, kernel, strict=True)]
        return cls(photo, (sides[0], sides[1]))

    @property
    def top(self) -> int:
        """Rows of the frame above the photo."""
        return (self.size[0] - self.photo[0]) // 2

    @property
    def left(self) -> int:
        """Columns of the frame to the left of the photo."""
        return (self.size[1] - self.photo[1]) // 2

    def crop(self, framed: Float[Tensor, "b c fh fw"]) -> Float[Tensor, "b c h w"]:
        """The photo's part of the frame, a view."""
        return framed[..., self.top : self.top + self.photo[0], self.left : self.left + self.photo[1]]

    def extend(self, photo: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c fh fw"]:
        """The photo in its frame; beyond its borders each side runs smoothly over into the opposite one."""
        return _join_ends(_join_ends(photo, -2, self.top, self.size[0]), -1, self.left, self.size[1])

    def place(self, photo: Float[Tensor, "b c h w"], margin: int = 0) -> Float[Tensor, "b c fh fw"]:
        """The photo in its frame with zeros around it, its own outermost `margin` pixels zero too."""
        framed = photo.new_zeros(*photo.shape[:-2], *self.size)
        rows = slice(margin, max(self.photo[0] - margin, margin))
        columns = slice(margin, max(self.photo[1] - margin, margin))
        self.crop(framed)[..., rows, columns] = photo[..., rows, columns]
        return framed


def _join_ends(image: Tensor, dim: int, before: int, length: int) -> Tensor:
    """Lengthen one dimension to `length`; the new pixels lead from the last line to the first one."""
    own = image.shape[dim]
    new = length - own
    if new == 0:
        return image
    way = torch.arange(1, new + 1, dtype=image.dtype, device=image.device) / (new + 1)
    way = (way * way * (3 - 2 * way)).view((-1, 1) if dim == -2 else (-1,))
    bridge = torch.lerp(image.narrow(dim, own - 1, 1), image.narrow(dim, 0, 1), way)
    return torch.cat([bridge.narrow(dim, new - before, before), image, bridge.narrow(dim, 0, new - before)], dim)
