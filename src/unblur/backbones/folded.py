"""A small network on folded pixels, for images that are nearly right: what it sees beside them decides what changes."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["FoldedNet"]

_SHRINK = 2


class _Coarse(nn.Module):
    """Convolutions at half the resolution, and within them at half of that, and so on; what they give is added.

    They see farther: what a wrong kernel leaves lies as far from an edge as the kernel is long. A new one adds nothing.
    """

    def __init__(self, around: int, channels: int, depth: int, levels: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(around, channels, 2, stride=2)
        self.body = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(depth))
        self.coarser = _Coarse(channels, channels, depth, levels - 1) if levels > 1 else None
        self.up = nn.ConvTranspose2d(channels, around, 2, stride=2)
        for weight in self.up.parameters():
            nn.init.zeros_(weight)

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.up(_through(self.body, F.silu(self.down(hidden)), self.coarser))


class FoldedNet(nn.Module):
    """Convolutions on pixels that are folded by two, and at coarser resolutions in their midst; a new one gives zeros.

    Args:
        planes: Channels of its images.
        numbers: How many numbers it gets for each photo.
        answers: Channels of what it returns.
        channels: Channels of the hidden layers.
        depth: Number of convolutions.
        coarse_channels: Channels at the coarser resolutions.
        coarse_depth: Number of convolutions at each of them.
        coarse_levels: Number of coarser resolutions, each half of the one before.

    Attributes:
        multiple: The sides of its images are multiples of so many pixels.
    """

    def __init__(
        self,
        planes: int,
        numbers: int,
        answers: int,
        *,
        channels: int,
        depth: int,
        coarse_channels: int,
        coarse_depth: int,
        coarse_levels: int,
    ) -> None:
        super().__init__()
        folded = _SHRINK**2
        self.multiple = _SHRINK * 2**coarse_levels
        self.head = nn.Conv2d(planes * folded + numbers, channels, 3, padding=1)
        self.body = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(depth - 2))
        self.coarse = _Coarse(channels, coarse_channels, coarse_depth, coarse_levels) if coarse_levels else None
        self.tail = nn.Conv2d(channels, answers * folded, 3, padding=1)
        for weight in self.tail.parameters():
            nn.init.zeros_(weight)

    def run(self, images: Float[Tensor, "b planes h w"], *numbers: Float[Tensor, " b"]) -> Float[Tensor, "b a h w"]:
        """What the layers return; sides are multiples of `multiple`."""
        planes = [F.pixel_unshuffle(images, _SHRINK)]
        if numbers:
            planes.append(torch.stack(numbers, 1)[..., None, None].expand(-1, -1, *planes[0].shape[-2:]))
        hidden = _through(self.body, F.silu(self.head(torch.cat(planes, 1))), self.coarse)
        return F.pixel_shuffle(self.tail(hidden), _SHRINK)


def _through(body: nn.ModuleList, hidden: Tensor, coarse: nn.Module | None) -> Tensor:
    """Through the layers, and in their midst through the coarser ones."""
    for place, layer in enumerate(body):
        if coarse is not None and place == len(body) // 2:
            hidden = coarse(hidden)
        hidden = hidden + F.silu(layer(hidden))
    return hidden
