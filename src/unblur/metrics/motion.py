"""Error of an estimated motion field."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

__all__ = ["motion_field_error"]


def motion_field_error(
    found: Float[Tensor, "b 2 _h _w"], true: Float[Tensor, "b 2 h w"], *, scale: float
) -> Float[Tensor, " b"]:
    """Mean squared difference in square pixels over both components and all pixels, whichever way time runs.

    A blur looks the same for a motion and its reverse: every estimated vector is turned so that it points to the right,
    and of the whole field and its negative the closer one counts (the motion error of NeurMAP, figure 8a).

    Args:
        found: (right, down); brought to the size of the truth by its nearest pixel.
        true: (right, down) over the full exposure, pixels.
        scale: Pixels that 1 in `found` stands for: 1 for a field in pixels. For NeurMAP's relative maps 40 is
            consistent with the blur that they make; its official script has 20.
    """
    resized = F.interpolate(found.double(), size=(true.shape[-2], true.shape[-1]), mode="nearest") * scale
    forward = torch.where(resized[:, :1] < 0, -resized, resized)
    errors = [(way - true.double()).square().mean(dim=(1, 2, 3)) for way in (forward, -forward)]
    return torch.minimum(*errors)
