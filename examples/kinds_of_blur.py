"""Draw the same photo sharp and with four kinds of blur, each with its kernel in the corner.

python examples/kinds_of_blur.py --out kinds.jpg
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from shaken import photo_part
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.blur.kernels import disk_kernel, fit_box, gaussian_kernel, linear_kernel
from unblur.blur.trajectories import sample_motion_kernel
from unblur.images.tensors import linear_to_srgb, srgb_to_linear, tensor_to_array

GAP, TITLE, BOX = 8, 26, 31


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("kinds.jpg"))
    parser.add_argument("--quick", action="store_true", help="a small picture")
    given = parser.parse_args(words)
    sharp = photo_part("coffee", side=120 if given.quick else 250)
    panels = [draw_panel(sharp, kernel, title) for title, kernel in kernels().items()]
    sheet = np.concatenate([np.pad(panel, ((0, 0), (0, GAP), (0, 0)), constant_values=255) for panel in panels], axis=1)
    Image.fromarray(sheet).save(given.out, quality=88)
    print(f"{given.out}: {sheet.shape[1]}x{sheet.shape[0]}")


def kernels() -> dict[str, Tensor]:
    """A kernel of each kind, by what people call it."""
    generator = torch.Generator().manual_seed(5)
    return {
        "sharp": disk_kernel(0),
        "camera shake": sample_motion_kernel(21, generator, length=(25, 30)),
        "straight motion": linear_kernel(15, 20),
        "out of focus": disk_kernel(5),
        "soft": gaussian_kernel(2.5),
    }


def draw_panel(sharp: Tensor, kernel: Tensor, title: str) -> np.ndarray:
    """The photo blurred in linear light, its kernel enlarged in the corner, a title above; `(H, W, 3)`, uint8."""
    blurred = linear_to_srgb(convolve(srgb_to_linear(sharp), kernel, "reflect")).clamp(0, 1)
    panel = np.round(255 * tensor_to_array(blurred)).astype(np.uint8)
    shown = fit_box(kernel, BOX)[0, 0]
    small = Image.fromarray(np.round(255 * (shown / shown.max()).numpy()).astype(np.uint8))
    side = panel.shape[0] // 4
    panel[-side:, -side:] = np.asarray(small.resize((side, side), Image.Resampling.NEAREST))[..., None]
    label = Image.new("RGB", (panel.shape[1], TITLE), "white")
    ImageDraw.Draw(label).text((2, 3), title, fill="black", font=ImageFont.load_default(15))
    return np.concatenate([np.asarray(label), panel])


if __name__ == "__main__":
    main()
