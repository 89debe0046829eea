"""Find the kernel of a photo, edit it as an array, and deconvolve again.

    python examples/edit_kernel.py --faintest 0.1

A kernel that was found has faint dust around its path. Here all that is fainter than a share of its brightest value is
removed, the kernel is stored, and several solvers restore the photo with it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from shaken import shaken_photo
from torch import Tensor

import unblur
from unblur.images.kernels import write_kernel
from unblur.images.tensors import array_to_tensor
from unblur.metrics.kernel import kernel_similarity_upto_shift


def main(words: Sequence[str] | None = None) -> None:
    given = read_options(words)
    small, large = {"side": 144, "kernel_size": 9, "seed": 0}, {"side": 400, "kernel_size": 25, "seed": 3}
    photo = shaken_photo(**(small if given.quick else large))

    # The estimate alone: no image is made yet.
    estimate = unblur.load_method("map").estimate(array_to_tensor(photo.blurry), unblur.RestoreOptions())
    if estimate.kernel is None:
        print(f"no kernel was found: {estimate.refusal}")
        return
    found = estimate.kernel[0, 0].numpy()
    edited = without_dust(found, given.faintest)
    print(f"the kernel had {np.count_nonzero(found)} pixels and keeps {np.count_nonzero(edited)}")
    likeness = (float(kernel_similarity_upto_shift(as_tensor(one), as_tensor(photo.kernel))) for one in (found, edited))
    print("similarity to the true kernel: {:.3f}, then {:.3f}".format(*likeness))

    given.out.mkdir(parents=True, exist_ok=True)
    write_kernel(given.out / "edited", edited, overwrite=True)  # as PNG to look at, and as .npy
    options = unblur.RestoreOptions(kernel=edited, encoding=estimate.encoding)
    print(f"blurry: {photo.psnr(photo.blurry):.2f} dB")
    for solver in ("hyper-laplacian", "wiener", "richardson-lucy"):
        answer = unblur.restore(photo.blurry, "known-kernel", options=options, solver=solver)
        print(f"{solver}: {photo.psnr(answer.image):.2f} dB")


def as_tensor(kernel: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(kernel)[None, None]


def without_dust(kernel: NDArray[np.float32], faintest: float) -> NDArray[np.float32]:
    """The kernel without values below a share of the largest one, sum 1 again."""
    kept = np.where(kernel >= faintest * kernel.max(), kernel, 0)
    return kept / kept.sum()


def read_options(words: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--faintest", type=float, default=0.1, help="share of the brightest value, 0 to 1")
    options.add_argument("--out", type=Path, default=Path("demo"), help="folder for the edited kernel")
    options.add_argument("--quick", action="store_true", help="a small photo with a small blur, for tests")
    return options.parse_args(words)


if __name__ == "__main__":
    main()
