"""Region label maps of photos, in the form in which BSDS500 has them: which regions may move by themselves."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from unblur.datasets.image_files import read_arrays
from unblur.errors import DataError

__all__ = ["choose_objects", "read_segments"]

_SMALLEST, _LARGEST = 0.01, 0.4
"""Share of the photo that an object covers."""


def read_segments(path: Path, size: tuple[int, int]) -> Tensor:
    """The label map `(H, W)` of a photo as its first annotator drew it (`seg0` of an `.npz` file).

    Args:
        path: The file.
        size: (height, width) of the photo.

    Raises:
        DataError: Not such a file, or of another size.
    """
    [labels] = read_arrays(path, ["seg0"])
    if labels.shape != size:
        raise DataError(f"expected a label map of {size[1]}x{size[0]} in {path.name}; found the shape {labels.shape}")
    return torch.from_numpy(labels).long()


def choose_objects(labels: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Masks `(k, H, W)` of up to `count` random regions, neither tiny nor most of the photo."""
    names, areas = labels.unique(return_counts=True)
    fitting = names[(areas > _SMALLEST * labels.numel()) & (areas < _LARGEST * labels.numel())]
    chosen = fitting[torch.randperm(len(fitting), generator=generator)[:count]]
    return labels[None] == chosen[:, None, None]
