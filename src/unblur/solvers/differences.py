"""Forward differences on a circular frame: the gradient on which all priors here are defined."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Images", "difference_power", "differences", "differences_adjoint"]

Images = Float[Tensor, "b c h w"]


def differences(image: Images) -> tuple[Images, Images]:
    """Forward differences (to the right, downwards); the last column and row look at the first ones."""
    right, down = torch.empty_like(image), torch.empty_like(image)
    torch.sub(image[..., :, 1:], image[..., :, :-1], out=right[..., :, :-1])
    torch.sub(image[..., :, :1], image[..., :, -1:], out=right[..., :, -1:])
    torch.sub(image[..., 1:, :], image[..., :-1, :], out=down[..., :-1, :])
    torch.sub(image[..., :1, :], image[..., -1:, :], out=down[..., -1:, :])
    return right, down


def differences_adjoint(right: Images, down: Images) -> Images:
    """The adjoint of `differences`: minus the divergence."""
    total = torch.empty_like(right)
    torch.sub(right[..., :, :-1], right[..., :, 1:], out=total[..., :, 1:])
    torch.sub(right[..., :, -1:], right[..., :, :1], out=total[..., :, :1])
    total[..., 1:, :] += down[..., :-1, :]
    total[..., :1, :] += down[..., -1:, :]
    return total.sub_(down)


def difference_power(size: tuple[int, int], like: Tensor) -> Float[Tensor, "h fw"]:
    """`|D|^2`: power of the difference operator at each frequency of a half spectrum.

    Args:
        size: Frame (height, width).
        like: Gives dtype and device.
    """
    rows = torch.arange(size[0], dtype=like.dtype, device=like.device) / size[0]
    columns = torch.arange(size[1] // 2 + 1, dtype=like.dtype, device=like.device) / size[1]
    return 4 * (torch.sin(math.pi * rows).square()[:, None] + torch.sin(math.pi * columns).square()[None, :])
