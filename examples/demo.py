"""A photo is blurred as by a shaking hand, restored by the command that everyone uses, and shown beside the truth.

    make demo            or, by hand:  .venv/bin/python examples/demo.py --seed 7 --photo astronaut

Writes `blurry.png`, `restored.png`, the kernels, and all of it in one picture, `demo.png`, into `demo/`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import skimage.data
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.blur.noise import add_gaussian_noise, quantise
from unblur.blur.trajectories import sample_motion_kernel
from unblur.images.kernels import read_kernel, write_kernel
from unblur.images.tensors import array_to_tensor, linear_to_srgb, srgb_to_linear, tensor_to_array
from unblur.metrics.score import score

UNBLUR = Path(sys.executable).with_name("unblur")
NOISE_SIGMA = 0.005  # on the encoded scale, white is 1: a little more than one grey level of 8 bits
GAP, LINE = 12, 30  # pixels between the parts of the picture, and for a line of text


def main() -> None:
    wanted = read_options()
    wanted.out.mkdir(parents=True, exist_ok=True)
    blurry_file, restored_file, found_file = (wanted.out / f"{name}.png" for name in ("blurry", "restored", "found"))

    sharp = load_photo(wanted.photo, wanted.side)
    generator = torch.Generator().manual_seed(wanted.seed)
    kernel = sample_motion_kernel(wanted.kernel_size, generator, length=(wanted.kernel_size, 1.5 * wanted.kernel_size))
    blurry, sharp = shake(sharp, kernel, generator)
    to_image(blurry).save(blurry_file)
    write_kernel(wanted.out / "true", kernel[0, 0].numpy(), overwrite=True)

    command = [UNBLUR, "restore", blurry_file, "-o", restored_file, "--save-kernel", found_file, "--overwrite"]
    print("$ unblur", *command[1:], flush=True)
    subprocess.run(command, check=True)  # noqa: S603 - our own command on our own files

    before, after = (psnr_of(file, sharp) for file in (blurry_file, restored_file))
    parts = {
        f"blurry, {before:.1f} dB": Image.open(blurry_file),
        f"restored, {after:.1f} dB": Image.open(restored_file),
        "sharp": to_image(sharp),
    }
    kernels = {"true kernel": kernel[0, 0].numpy(), "found kernel": read_kernel(found_file.with_suffix(".npy"))}
    draw(parts, kernels).save(wanted.out / "demo.png")
    print(f"PSNR under protocol shift: {before:.2f} dB blurry, {after:.2f} dB restored, gain {after - before:.2f} dB")
    print(f"picture: {wanted.out / 'demo.png'}")


def read_options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--photo", default="coffee", choices=("coffee", "astronaut", "chelsea"))
    options.add_argument("--seed", type=int, default=3, help="of the random shake and noise")
    options.add_argument("--out", type=Path, default=Path("demo"), help="folder for what is written")
    options.add_argument("--quick", action="store_true", help="the middle of the photo and a small blur, for tests")
    wanted = options.parse_args()
    wanted.side, wanted.kernel_size = (256, 13) if wanted.quick else (400, 25)
    return wanted


def load_photo(name: str, side: int) -> Tensor:
    """The middle of one of scikit-image's photos, `(1, 3, side, side)` or less where the photo ends."""
    photo = array_to_tensor(getattr(skimage.data, name)().astype(np.float32) / 255)
    top, left = (max(0, (length - side) // 2) for length in photo.shape[-2:])
    return photo[..., top : top + side, left : left + side]


def shake(sharp: Tensor, kernel: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """What the camera sees, and the part of the sharp photo that it shows.

    Light adds up while the shutter is open, so the photo is blurred in linear light, encoded, and then gets noise and
    8 bits. Where the kernel would reach beyond the photo nothing is known, and nothing is made up.
    """
    seen = linear_to_srgb(convolve(srgb_to_linear(sharp), kernel, "valid"))
    margin = kernel.shape[-1] // 2
    return quantise(add_gaussian_noise(seen, NOISE_SIGMA, generator)), sharp[..., margin:-margin, margin:-margin]


def to_image(photo: Tensor) -> Image.Image:
    return Image.fromarray((tensor_to_array(photo) * 255).round().astype(np.uint8))


def psnr_of(file: Path, sharp: Tensor) -> float:
    """PSNR in dB after the best shift: image and kernel are found only up to one."""
    image = array_to_tensor(np.asarray(Image.open(file), np.float32) / 255)
    return float(score(image, sharp, "shift").psnr)


def draw(photos: dict[str, Image.Image], kernels: dict[str, np.ndarray]) -> Image.Image:
    """Photos in a row, the kernels at one scale in a last column, a line of text under each."""
    width, height = next(iter(photos.values())).size
    side = (height - LINE - GAP) // 2
    canvas = Image.new("RGB", (3 * (width + GAP) + side + 2 * GAP, height + LINE + 2 * GAP), "white")
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(16)

    def place(image: Image.Image, words: str, x: int, y: int) -> None:
        canvas.paste(image, (x, y))
        pen.text((x + image.width // 2, y + image.height + LINE // 2), words, "black", font, anchor="mm")

    for number, (words, photo) in enumerate(photos.items()):
        place(photo, words, GAP + number * (width + GAP), GAP)
    box = max(max(kernel.shape) for kernel in kernels.values()) + 2
    for number, (words, kernel) in enumerate(kernels.items()):
        place(enlarge(kernel, box, side), words, GAP + 3 * (width + GAP), GAP + number * (side + LINE + GAP))
    return canvas


def enlarge(kernel: np.ndarray, box: int, side: int) -> Image.Image:
    """The kernel, white at its brightest, in the middle of a black box of `box` kernel pixels."""
    framed = np.zeros((box, box))
    top, left = ((box - length) // 2 for length in kernel.shape)
    framed[top : top + kernel.shape[0], left : left + kernel.shape[1]] = kernel / kernel.max()
    return Image.fromarray((framed * 255).astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST)


if __name__ == "__main__":
    main()
