"""Fits the model of sharp photos that NIQE measures against: `python -m unblur.metrics.niqe_fit FOLDER OUT.npz`.

`niqe_model.npz` was made from the 300 photos of BSDS500 train and val (Arbelaez, Maire, Fowlkes, Malik, TPAMI 2011).
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import UsageError
from unblur.images.files import read_image
from unblur.images.working import to_working
from unblur.metrics.niqe import NiqeModel, niqe_patches
from unblur.system.atomic import atomic_write

__all__ = ["fit_niqe_model", "main"]

_SHARP_SHARE = 0.75


def fit_niqe_model(photos: Iterable[Float[Tensor, "1 c _h _w"]]) -> NiqeModel:
    """Mean and covariance of the sharp patches of pristine photos: those above 0.75 of their photo's sharpest.

    Args:
        photos: sRGB or grey, [0, 1].

    Raises:
        ShapeError: A photo with a side below 96 pixels.
    """
    chosen: list[Tensor] = []
    for photo in photos:
        features, sharpness = niqe_patches(photo)
        chosen.append(features[sharpness > _SHARP_SHARE * sharpness.max()])
    pooled = torch.cat(chosen)
    pooled = pooled[pooled.isfinite().all(dim=1)]
    return NiqeModel(pooled.mean(dim=0), pooled.T.cov())


def main(words: list[str]) -> None:
    """Fit the photos under a folder and write the model.

    Raises:
        UsageError: Not two words, or no photos.
    """
    if len(words) != 2:
        raise UsageError("expected a folder of sharp photos and the name of the .npz file to write")
    folder, target = map(Path, words)
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".png"})
    if not paths:
        raise UsageError("the folder has no .jpg or .png photos")
    model = fit_niqe_model(_read(path) for path in paths)
    made = f"unblur.metrics.niqe_fit on {len(paths)} photos of {folder.name}"
    file = io.BytesIO()
    np.savez_compressed(file, mean=model.mean.numpy(), covariance=model.covariance.numpy(), made=np.array(made))
    atomic_write(target, file.getvalue(), overwrite=True)


def _read(path: Path) -> Tensor:
    pixels = to_working(read_image(path))
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]


if __name__ == "__main__":
    main(sys.argv[1:])
