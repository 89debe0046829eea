"""A prior of one's own in the place of the solver's: a photo is deconvolved with its known kernel under both.

python examples/custom_prior.py [--quick] [--plot history.png]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from unblur.blur.convolve import convolve
from unblur.blur.kernels import linear_kernel
from unblur.metrics.psnr import validation_psnr
from unblur.solvers.descent import HyperLaplacian, deconvolve_by_descent
from unblur.solvers.operators import KernelBlur


class TwoTone:
    """Believes in pages of text: every pixel is black or white."""

    def value(self, image: torch.Tensor) -> torch.Tensor:
        """0 for black and white, largest halfway."""
        return (image.square() * (1 - image).square()).sum()


def page(side: int) -> torch.Tensor:
    """A picture of two tones: bars and blocks, as letters have them."""
    generator = torch.Generator().manual_seed(3)
    image = torch.ones(1, 1, side, side)
    for _ in range(side // 2):
        row, column = (int(torch.randint(0, side - 6, (), generator=generator)) for _ in range(2))
        height, width = (int(torch.randint(2, 10, (), generator=generator)) for _ in range(2))
        image[..., row : row + height, column : column + width] = 0
    return image


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small picture and few steps")
    parser.add_argument("--plot", type=Path, help="write how the objectives fall (needs matplotlib)")
    options = parser.parse_args(words)
    side, steps = (48, 40) if options.quick else (128, 150)
    sharp, kernel = page(side), linear_kernel(7, 30)
    noise = 0.01 * torch.randn(sharp.shape, generator=torch.Generator().manual_seed(0))
    blurry = (convolve(sharp, kernel, "reflect") + noise).clamp(0, 1)
    print(f"blurry: {float(validation_psnr(blurry, sharp)):.2f} dB")
    histories = {}
    for name, prior, strength in (("sparse edges", HyperLaplacian(), 1e-3), ("two tones", TwoTone(), 0.03)):
        iteration = deconvolve_by_descent(
            blurry, KernelBlur(kernel), prior=prior, prior_strength=strength, steps=steps, record=True
        )
        print(f"{name}: {float(validation_psnr(iteration.run(), sharp)):.2f} dB")
        histories[name] = iteration.history["objective"]
    if options.plot:
        plot(histories, options.plot)


def plot(histories: dict[str, list[float]], path: Path) -> None:
    from matplotlib.figure import Figure  # noqa: PLC0415 - for those who ask for a picture

    axes = (figure := Figure(figsize=(6, 4))).subplots()
    for name, series in histories.items():
        axes.semilogy(series, label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("objective")
    axes.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main()
