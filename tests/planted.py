"""Pictures whose blur is known: shapes that hide one another, blurred as a camera would, beyond their borders too."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.blur.trajectories import sample_motion_kernel
from unblur.images.tensors import linear_to_srgb, srgb_to_linear


@dataclass(frozen=True)
class Planted:
    """A photo `(1, 1, H, W)`, what it shows when sharp, and the kernel that blurred it."""

    blurry: Tensor
    sharp: Tensor
    kernel: Tensor

    @property
    def psnr(self) -> float:
        return psnr(self.blurry, self.sharp)


def plant(
    kernel: Tensor,
    size: tuple[int, int] = (96, 112),
    *,
    seed: int = 0,
    noise: float = 0.003,
    light: str = "encoded",
    brightness: float = 1.0,
) -> Planted:
    """A picture blurred by `kernel`; with brightness above 1 its lights are clipped."""
    reach = [side // 2 for side in kernel.shape[-2:]]
    wide = draw_picture(size[0] + 2 * reach[0], size[1] + 2 * reach[1], seed) * brightness
    if light == "linear":
        blurry = linear_to_srgb(convolve(srgb_to_linear(wide), kernel, "valid"))
    else:
        blurry = convolve(wide, kernel, "valid")
    noisy = (blurry + noise * torch.randn(blurry.shape, generator=torch.Generator().manual_seed(seed))).clamp(0, 1)
    sharp = wide[..., reach[0] : reach[0] + size[0], reach[1] : reach[1] + size[1]].clamp(0, 1)
    return Planted(noisy, sharp, kernel)


def draw_picture(height: int, width: int, seed: int = 0) -> Tensor:
    """Discs and rectangles of all sizes and tones, the later ones in front, edges anti-aliased; `(1, 1, H, W)`."""
    generator = torch.Generator().manual_seed(seed)
    picture = torch.full((2 * height, 2 * width), 0.5)
    for _ in range(max(60, height * width // 150)):
        y, x, tone, size, angle, kind = torch.rand(6, generator=generator).tolist()
        radius = 8 / (0.06 + size)
        top, left = (max(0, int(2 * place - 1.2 * radius)) for place in (y * height, x * width))
        part = picture[top : top + int(2.4 * radius) + 2, left : left + int(2.4 * radius) + 2]
        down = torch.arange(top, top + part.shape[0])[:, None] - 2 * y * height
        right = torch.arange(left, left + part.shape[1])[None, :] - 2 * x * width
        cos, sin = math.cos(math.pi * angle), math.sin(math.pi * angle)
        along, across = (down * cos + right * sin).abs(), (right * cos - down * sin).abs()
        inside = along.hypot(across) < radius if kind < 0.5 else (along < radius) & (across < radius / 2)
        part[inside] = 0.02 + 0.96 * tone
    return F.avg_pool2d(picture[None, None], 2)


def shake(side: int, seed: int = 0, length: tuple[float, float] | None = None) -> Tensor:
    """A camera-shake kernel."""
    return sample_motion_kernel(side, torch.Generator().manual_seed(seed), length=length)


def psnr(image: Tensor, sharp: Tensor, margin: int = 0) -> float:
    """In dB, leaving out `margin` pixels at each border."""
    inner = (..., slice(margin, image.shape[-2] - margin), slice(margin, image.shape[-1] - margin))
    return float(-10 * (image[inner] - sharp[inner]).square().mean().log10())


def shifted_psnr(image: Tensor, sharp: Tensor, margin: int, reach: int = 4) -> float:
    """The best PSNR over whole-pixel shifts: a blind method finds the photo only up to one."""
    inner = sharp[..., margin:-margin, margin:-margin]
    height, width = image.shape[-2:]
    return max(
        psnr(image[..., margin + y : height - margin + y, margin + x : width - margin + x], inner)
        for y in range(-reach, reach + 1)
        for x in range(-reach, reach + 1)
    )
