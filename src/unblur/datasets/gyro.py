"""Recordings of a gyroscope: `.npz` files with turning rates."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from unblur.blur.gyro import trajectory_from_rotation
from unblur.datasets.image_files import read_arrays
from unblur.errors import DataError

__all__ = ["GyroTrack", "read_gyro", "sample_gyro_path"]


class GyroTrack(NamedTuple):
    """Turning rates about the upright and the level axis, `(n, 2)` in radians a second, and their times in seconds."""

    rates: Tensor
    times: Tensor


@lru_cache(maxsize=4)
def read_gyro(path: Path) -> GyroTrack:
    """A recording: `gyro_rad_s` `(n, 3)`, `rate_hz`, and `pan_tilt_axes`, the columns that are pan and tilt.

    Raises:
        DataError: Not such a file.
    """
    rates, axes, rate = read_arrays(path, ["gyro_rad_s", "pan_tilt_axes", "rate_hz"])
    columns = axes.astype(int)
    if rates.ndim != 2 or columns.shape != (2,) or not set(columns.tolist()) <= set(range(rates.shape[1])):
        raise DataError(f"expected turning rates (n, 3) and two of their columns in {path.name}; found {rates.shape}")
    if rate.size != 1 or not float(rate) > 0 or len(rates) < 2:
        raise DataError(f"expected two measurements or more at a rate above 0 in {path.name}")
    times = torch.arange(len(rates), dtype=torch.float64) / float(rate)
    return GyroTrack(torch.from_numpy(rates[:, columns]), times)


def sample_gyro_path(
    track: GyroTrack, generator: torch.Generator, *, exposure: tuple[float, float], focal_length: float
) -> tuple[Tensor, float, float]:
    """A random exposure of a recording.

    Args:
        track: The recording.
        generator: Draws the exposure's length and place.
        exposure: Range of its length in seconds; never longer than the recording.
        focal_length: Focal length in pixels.

    Returns:
        The path (right, down) in pixels, when the exposure starts, and how long it lasts, in seconds.
    """
    share, place = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
    whole = float(track.times[-1])
    lasts = min(exposure[0] + (exposure[1] - exposure[0]) * share, whole)
    start = place * (whole - lasts)
    path = trajectory_from_rotation(track.rates, track.times, start=start, exposure=lasts, focal_length=focal_length)
    return path, start, lasts
