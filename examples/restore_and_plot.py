"""Restore a photo from Python and plot what was found: photo, answer, kernel, and the score of each hypothesis.

    python examples/restore_and_plot.py [PHOTO] --out plots

Without PHOTO it takes one with a known blur and says what was gained. Writes `plot.png`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from shaken import shaken_photo

import unblur


def main(words: Sequence[str] | None = None) -> None:
    given = read_options(words)
    small, large = {"side": 144, "kernel_size": 9, "seed": 0}, {"side": 400, "kernel_size": 25, "seed": 3}
    known = shaken_photo(**(small if given.quick else large))
    blurry = np.asarray(Image.open(given.photo).convert("RGB")) / 255 if given.photo else known.blurry

    answer = unblur.restore(blurry, "map", on_step=lambda step: print(f"\r{step.fraction:4.0%} {step.stage}", end=""))
    print()
    for warning in answer.warnings:
        print(f"warning: {warning}")
    if not given.photo:
        print(f"PSNR: {known.psnr(blurry):.2f} dB blurry, {known.psnr(answer.image):.2f} dB restored")

    given.out.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(1, 4, figsize=(16, 4), layout="constrained")
    axes[0].imshow(blurry)
    axes[0].set_title("blurry")
    axes[1].imshow(answer.image)
    axes[1].set_title(f"restored in {answer.seconds:.1f} s")
    if answer.kernel is None:  # of a photo of one tone, or of a few pixels
        axes[2].set_title("no kernel was found")
    else:
        axes[2].imshow(answer.kernel[0, 0].numpy(), cmap="gray")
        axes[2].set_title("kernel, {1}x{0} pixels".format(*answer.kernel.shape[-2:]))
    scores = answer.history.get("score", [])
    axes[3].bar(range(1, len(scores) + 1), scores)
    axes[3].set(title="score of each hypothesis, less is better", xlabel="hypothesis")
    for axis in axes[:3]:
        axis.set_axis_off()
    figure.savefig(given.out / "plot.png")
    plt.close(figure)
    print(f"plot: {given.out / 'plot.png'}")


def read_options(words: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("photo", nargs="?", type=Path)
    options.add_argument("--out", type=Path, default=Path("demo"), help="folder for what is written")
    options.add_argument("--quick", action="store_true", help="a small photo with a small blur, for tests")
    return options.parse_args(words)


if __name__ == "__main__":
    main()
