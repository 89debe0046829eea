"""NIQE: how far an image's local statistics are from those of sharp photos, without a truth.

Mittal, Soundararajan, Bovik, "Making a 'completely blind' image quality analyzer", IEEE SPL 2013. Statistics of locally
normalised grey values at two scales, 36 numbers a patch of 96x96 pixels; the distance between the Gaussian fitted to
the patches of an image and the one fitted to sharp patches of pristine photos. Lower is better; about 2 to 8.

The model stored beside this module was fitted by `python -m unblur.metrics.niqe_fit` on the 300 photos of the BSDS500
parts train and val, not on the original's 125 photos: values are not those of the authors' program. Their parameter
file gives those up to the details of filtering: `load_niqe_model("modelparameters.mat")`.
"""

from __future__ import annotations

import math
import os
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from kornia.filters import filter2d_separable, get_gaussian_kernel1d
from torch import Tensor

from unblur.errors import ReadError, ShapeError
from unblur.metrics.luma import luma_full_range
from unblur.system.extras import import_extra

__all__ = ["PATCH", "NiqeModel", "Patches", "load_niqe_model", "niqe", "niqe_patches"]

PATCH = 96
"""Pixels on each side of a patch at the full scale."""

_FEATURES = 36
_WINDOW, _SIGMA = 7, 7 / 6
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # neighbours: right, below, below right, below left


class NiqeModel(NamedTuple):
    """The Gaussian of sharp patches.

    Attributes:
        mean: `(36,)`.
        covariance: `(36, 36)`.
    """

    mean: Tensor
    covariance: Tensor


class Patches(NamedTuple):
    """Measurements on the patches of one image.

    Attributes:
        features: `(n, 36)`, float64.
        sharpness: `(n,)`, mean local standard deviation, grey levels.
    """

    features: Tensor
    sharpness: Tensor


def niqe(image: Float[Tensor, "b c h w"], model: NiqeModel | None = None) -> Float[Tensor, " b"]:
    """The NIQE of each image: Eq. 10.

    The luma of sRGB values (not rounded to whole levels), cropped on the right and below to whole patches; patches
    without any contrast are left out.

    Args:
        image: sRGB or grey, [0, 1].
        model: Model of sharp photos; None: the one that comes with the package.

    Raises:
        ShapeError: A side below 96 pixels.
    """
    model = model or _own_model()
    return torch.stack([_distance(niqe_patches(one[None]).features, model) for one in image])


def niqe_patches(image: Float[Tensor, "1 c h w"]) -> Patches:
    """The features of each patch of one image (sections II.A to II.C), row after row.

    Raises:
        ShapeError: A side below 96 pixels.
    """
    rows, columns = image.shape[-2] // PATCH, image.shape[-1] // PATCH
    if rows == 0 or columns == 0:
        raise ShapeError(f"NIQE needs {PATCH} pixels on each side, not {image.shape[-1]}x{image.shape[-2]}")
    grey = 255 * luma_full_range(image.double())[..., : rows * PATCH, : columns * PATCH]
    half = F.interpolate(grey, scale_factor=0.5, mode="bicubic", antialias=True)
    normalised, deviation = _normalise(grey)
    coarse, _ = _normalise(half)
    features = torch.cat([_features(_cut(normalised, PATCH)), _features(_cut(coarse, PATCH // 2))], dim=1)
    return Patches(features, _cut(deviation, PATCH).mean(dim=(1, 2)))


def load_niqe_model(path: str | os.PathLike[str]) -> NiqeModel:
    """A model from a file: `.npz` with `mean` and `covariance`, or the authors' `modelparameters.mat`.

    Raises:
        ReadError: The file is missing or no model of 36 features.
        MissingExtraError: A `.mat` file, and scipy, which reads it, is not installed.
    """
    names = ("mu_prisparam", "cov_prisparam") if Path(path).suffix.lower() == ".mat" else ("mean", "covariance")
    try:
        stored = _load_mat(path) if names[0] == "mu_prisparam" else _load_npz(path)
        mean, covariance = (np.asarray(stored[name], dtype=np.float64) for name in names)
        return NiqeModel(
            torch.from_numpy(mean.reshape(_FEATURES)), torch.from_numpy(covariance.reshape(_FEATURES, _FEATURES))
        )
    except (OSError, EOFError, ValueError, TypeError, KeyError, BadZipFile) as error:
        raise ReadError(f"is no NIQE model: expected {names[0]} and {names[1]} of {_FEATURES} features") from error


def _load_npz(path: str | os.PathLike[str]) -> dict[str, object]:
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


def _load_mat(path: str | os.PathLike[str]) -> dict[str, object]:
    scipy_io = import_extra("scipy.io", "a .mat file")
    try:
        return scipy_io.loadmat(os.fspath(path))
    except Exception as error:  # scipy has errors of its own for damaged files, of no common kind
        raise ValueError(str(error)) from error


@cache
def _own_model() -> NiqeModel:
    with as_file(files("unblur.metrics").joinpath("niqe_model.npz")) as place:
        return load_niqe_model(place)


def _distance(features: Tensor, model: NiqeModel) -> Tensor:
    features = features[features.isfinite().all(dim=1)]
    if len(features) == 0:
        return torch.full((), math.nan, dtype=torch.float64)
    mean = features.mean(dim=0)
    # a single patch has no spread of its own
    covariance = features.T.cov() if len(features) > 1 else torch.zeros_like(model.covariance)
    apart = mean - model.mean.to(mean.device)
    pooled = (covariance + model.covariance.to(mean.device)) / 2
    return (apart @ torch.linalg.pinv(pooled, hermitian=True) @ apart).clamp_min(0).sqrt()


def _normalise(grey: Tensor) -> tuple[Tensor, Tensor]:
    """Grey values less their local mean over their local deviation plus 1 (Eq. 1), and that deviation (Eq. 3)."""
    taps = get_gaussian_kernel1d(_WINDOW, _SIGMA, dtype=grey.dtype, device=grey.device)

    def mean_around(values: Tensor) -> Tensor:
        return filter2d_separable(values, taps, taps, border_type="replicate")

    mean = mean_around(grey)
    deviation = (mean_around(grey.square()) - mean.square()).abs().sqrt()
    return (grey - mean) / (deviation + 1), deviation


def _cut(values: Tensor, side: int) -> Tensor:
    """`(1, 1, H, W)` to patches `(n, side, side)`, row after row."""
    return values[0, 0].unfold(0, side, side).unfold(1, side, side).flatten(0, 1)


def _features(patches: Tensor) -> Tensor:
    """18 numbers a patch: shape and mean width of its values, then four for the products with each neighbour."""
    shape, left, right = _fit_asymmetric(patches.flatten(1))
    columns = [shape, (left + right) / 2]
    for shift in _SHIFTS:
        shape, left, right = _fit_asymmetric((patches * patches.roll(shift, dims=(1, 2))).flatten(1))
        mean = (right - left) * torch.exp(torch.lgamma(2 / shape) - torch.lgamma(1 / shape))  # Eq. 8
        columns += [shape, mean, left, right]
    return torch.stack(columns, dim=1)


def _fit_asymmetric(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Shape, left and right width of the asymmetric generalised Gaussian of each row, by moments.

    Lasmar, Stitou, Berthoumieu, ICIP 2009; the shape is the nearest of 0.2, 0.201, ..., 10.
    """
    left, right = (_deviation_of(values, side) for side in (values < 0, values > 0))
    skew = left / right
    ratio = values.abs().mean(dim=1).square() / values.square().mean(dim=1)
    ratio = ratio * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shapes, ratios = _ratio_table()
    # the table rises: the nearest entry is one of the two around
    above = torch.searchsorted(ratios, ratio.contiguous()).clamp(1, len(ratios) - 1)
    nearest = torch.where(ratio - ratios[above - 1] < ratios[above] - ratio, above - 1, above)
    shape = torch.where(ratio.isfinite(), shapes[nearest], torch.nan)
    width = torch.exp((torch.lgamma(1 / shape) - torch.lgamma(3 / shape)) / 2)
    return shape, left * width, right * width


def _deviation_of(values: Tensor, side: Tensor) -> Tensor:
    return ((values.square() * side).sum(dim=1) / side.sum(dim=1)).sqrt()


@cache
def _ratio_table() -> tuple[Tensor, Tensor]:
    shapes = torch.arange(200, 10001, dtype=torch.float64) / 1000
    ratios = torch.exp(2 * torch.lgamma(2 / shapes) - torch.lgamma(1 / shapes) - torch.lgamma(3 / shapes))
    return shapes, ratios
