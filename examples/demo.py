"""A photo is blurred as by a shaking hand, restored by the command that everyone uses, and shown beside the truth.

    make demo            or, by hand:  .venv/bin/python examples/demo.py --seed 7 --photo astronaut

Writes `blurry.png`, `restored.png`, the kernels, and all of it in one picture, `demo.png`, into `demo/`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from shaken import shaken_photo

from unblur.images.kernels import read_kernel, write_kernel

UNBLUR = Path(sys.executable).with_name("unblur")
GAP, LINE = 12, 30  # pixels between the parts of the picture, and for a line of text


def main(words: Sequence[str] | None = None) -> None:
    wanted = read_options(words)
    wanted.out.mkdir(parents=True, exist_ok=True)
    blurry_file, restored_file, found_file = (wanted.out / f"{name}.png" for name in ("blurry", "restored", "found"))

    photo = shaken_photo(wanted.photo, side=wanted.side, kernel_size=wanted.kernel_size, seed=wanted.seed)
    to_image(photo.blurry).save(blurry_file)
    write_kernel(wanted.out / "true", photo.kernel, overwrite=True)

    command = [UNBLUR, "restore", blurry_file, "-o", restored_file, "--save-kernel", found_file, "--overwrite"]
    print("$ unblur", *command[1:], flush=True)
    subprocess.run(command, check=True)  # noqa: S603 - our own command on our own files

    before, after = (photo.psnr(from_file(file)) for file in (blurry_file, restored_file))
    parts = {
        f"blurry, {before:.1f} dB": Image.open(blurry_file),
        f"restored, {after:.1f} dB": Image.open(restored_file),
        "sharp": to_image(photo.sharp),
    }
    kernels = {"true kernel": photo.kernel, "found kernel": read_kernel(found_file.with_suffix(".npy"))}
    draw(parts, kernels).save(wanted.out / "demo.png")
    print(f"PSNR under protocol shift: {before:.2f} dB blurry, {after:.2f} dB restored, gain {after - before:.2f} dB")
    print(f"picture: {wanted.out / 'demo.png'}")


def read_options(words: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--photo", default="coffee", choices=("coffee", "astronaut", "chelsea"))
    options.add_argument("--seed", type=int, default=3, help="of the random shake and noise")
    options.add_argument("--out", type=Path, default=Path("demo"), help="folder for what is written")
    options.add_argument("--quick", action="store_true", help="the middle of the photo and a small blur, for tests")
    wanted = options.parse_args(words)
    wanted.side, wanted.kernel_size = (160, 11) if wanted.quick else (400, 25)
    return wanted


def to_image(photo: NDArray[np.float32]) -> Image.Image:
    return Image.fromarray((photo * 255).round().astype(np.uint8))


def from_file(path: Path) -> NDArray[np.float32]:
    return np.asarray(Image.open(path), np.float32) / 255


def draw(photos: dict[str, Image.Image], kernels: dict[str, NDArray[np.float32]]) -> Image.Image:
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


def enlarge(kernel: NDArray[np.float32], box: int, side: int) -> Image.Image:
    """The kernel, white at its brightest, in the middle of a black box of `box` kernel pixels."""
    framed = np.zeros((box, box))
    top, left = ((box - length) // 2 for length in kernel.shape)
    framed[top : top + kernel.shape[0], left : left + kernel.shape[1]] = kernel / kernel.max()
    return Image.fromarray((framed * 255).astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST)


if __name__ == "__main__":
    main()
