"""Tiny data sets in the layouts of the real ones."""

from pathlib import Path

import numpy as np
from PIL import Image

from unblur.blur.convolve import convolve
from unblur.blur.kernels import linear_kernel

LEVIN_SIZES = (19, 17, 15, 27, 13, 21, 23, 23)


def photo(height: int, width: int, channels: int, seed: int) -> np.ndarray:
    """Coarse random blocks: something with edges, `(H, W, C)`."""
    blocks = np.random.default_rng(seed).integers(20, 236, (height // 8 + 1, width // 8 + 1, channels), dtype=np.uint8)
    return blocks.repeat(8, 0).repeat(8, 1)[:height, :width]


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(path)


def levin_tree(root: Path, side: int = 64) -> None:
    kernels = [linear_kernel(5 + i, 22.5 * i, size=size)[0, 0].double() for i, size in enumerate(LEVIN_SIZES)]
    (root / "levin").mkdir(parents=True, exist_ok=True)
    np.savez(root / "levin" / "levin_kernels_float.npz", **{f"k{i + 1}": k.numpy() for i, k in enumerate(kernels)})
    for image in range(4):
        sharp = photo(side, side, 1, image)
        save(root / "levin" / "gt" / f"im{image + 1}.png", sharp)
        for i, kernel in enumerate(kernels):
            save(root / "levin" / "blurred" / f"im{image + 1}_kernel{i + 1}_img.png", blur(sharp, kernel))


def dublid_tree(root: Path) -> None:
    kernels = [linear_kernel(11, 40.0 * i, size=23)[0, 0].double() for i in range(4)]
    folder = root / "dublid-bsds"
    folder.mkdir(parents=True)
    np.savez(folder / "estimated_kernels_4x23x23.npz", kernels=np.stack([k.numpy() for k in kernels]))
    for image in range(40):
        sharp = photo(48, 56, 3, image)
        save(folder / "sharp" / f"groundtruth_{5 * image:03d}.png", sharp)
        for i, kernel in enumerate(kernels):
            save(folder / "blurred" / f"blurred_{5 * image:03d}_{i:02d}.png", blur(sharp, kernel))


def sun_tree(root: Path) -> None:
    for image in range(40):
        save(root / "sun" / f"img_{2 * image + 2:03d}.png", photo(60, 70, 3, image))


def blur(sharp: np.ndarray, kernel) -> np.ndarray:
    import torch

    image = torch.from_numpy(sharp.astype(np.float64)).permute(2, 0, 1)[None]
    return convolve(image, kernel[None, None], "replicate").round().byte()[0].permute(1, 2, 0).numpy()
