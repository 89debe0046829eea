"""Pairs under learned blur, for `unblur blur`: connects data sets with the kernel space."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from unblur.datasets.blur_settings import LearnedBlur, Synthesis
from unblur.datasets.camera import simulate_camera
from unblur.datasets.image_files import read_tensor
from unblur.datasets.pairs import Pair
from unblur.datasets.synthesis import SyntheticPair, cut_window
from unblur.errors import CheckpointError, UnblurError, UsageError
from unblur.images.tensors import srgb_to_linear
from unblur.methods.kernel_space.loading import load_kernel_space, window_of
from unblur.methods.kernel_space.model import KernelSpace
from unblur.methods.kernel_space.photos import FoundBlur, blur_by_sample, find_blur, transfer_to_photo
from unblur.weights.shipped import read_weights

__all__ = ["maker_of"]

Maker = Callable[[Tensor, Synthesis, int, str], SyntheticPair]


def maker_of(blur: LearnedBlur) -> Maker:
    """The function that makes pairs under a learned blur, as `make_pair` does under others.

    Raises:
        CheckpointError: Weights that cannot be used for it.
        UsageError: A photo of the source that cannot be read, or photos that differ in size.
    """
    checkpoint = read_weights(blur.weights)
    network, side = load_kernel_space(checkpoint), window_of(checkpoint)
    if not blur.blurry and not network.variational:
        raise CheckpointError(f"the weights {checkpoint.name}: blurs are sampled from variational weights only")
    found = _found(network, blur, side) if blur.blurry else None

    def make(photo: Tensor, synthesis: Synthesis, seed: int, name: str) -> SyntheticPair:
        generator = torch.Generator().manual_seed(seed)
        stored = cut_window(photo, synthesis.size, 0, generator)
        blurred = (
            transfer_to_photo(network, found, stored) if found else blur_by_sample(network, stored, side, generator)
        )
        # The networks work on stored values; noise is added in the encoding that was asked for.
        exposed = srgb_to_linear(blurred) if synthesis.encoding == "linear" else blurred
        blurry, sharp = simulate_camera(exposed, stored, synthesis, generator)
        return SyntheticPair(Pair(name, blurry, sharp, encoding=synthesis.encoding))

    return make


def _found(network: KernelSpace, blur: LearnedBlur, side: int) -> FoundBlur:
    try:
        blurry, sharp = (read_tensor(Path(path)) for path in (blur.blurry, blur.sharp))
        return find_blur(network, sharp, blurry, side)
    except UnblurError as error:
        raise UsageError(f"the blur cannot be taken from {blur.blurry} and {blur.sharp}: {error}") from error
