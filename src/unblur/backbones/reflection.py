"""Mirror images around features, however small they are."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

__all__ = ["Reflection"]


class Reflection(nn.Module):
    """A mirror image on each side; of features too small to have one, their outermost row or column again.

    Args:
        margin: Pixels on each side.
    """

    def __init__(self, margin: int = 1) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
        """Larger by twice the margin in height and width."""
        if self.margin == 1 and min(features.shape[-2:]) > 1 and features.device.type == "cpu":
            return _MirroredByOne.apply(features)
        mode = "reflect" if min(features.shape[-2:]) > self.margin else "replicate"
        return F.pad(features, (self.margin,) * 4, mode=mode)


class _MirroredByOne(torch.autograd.Function):
    """One row or column on each side: a copy of the features and eight lines.

    Torch's own takes several times as long on a processor, for bfloat16 with the channels of a pixel side by side.
    """

    @staticmethod
    @override
    def forward(ctx: Any, features: Tensor) -> Tensor:
        height, width = features.shape[-2:]
        layout = torch.channels_last if features.is_contiguous(memory_format=torch.channels_last) else None
        wider = torch.empty(
            (*features.shape[:2], height + 2, width + 2),
            dtype=features.dtype,
            device=features.device,
            memory_format=layout or torch.contiguous_format,
        )
        wider[..., 1:-1, 1:-1] = features
        wider[..., 0, 1:-1], wider[..., -1, 1:-1] = features[..., 1, :], features[..., -2, :]
        wider[..., 0], wider[..., -1] = wider[..., 2], wider[..., -3]
        return wider

    @staticmethod
    @override
    def backward(ctx: Any, *slopes: Tensor) -> Tensor:
        [slope] = slopes
        # Of its own memory, as what is added here must not change what other operations still need.
        lines = slope[..., 1:-1].clone(memory_format=torch.preserve_format)
        lines[..., 1] += slope[..., 0]
        lines[..., -2] += slope[..., -1]
        inner = lines[..., 1:-1, :]
        inner[..., 1, :] += lines[..., 0, :]
        inner[..., -2, :] += lines[..., -1, :]
        return inner
