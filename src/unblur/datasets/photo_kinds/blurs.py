"""Blurs of photo kinds: each takes a scene in linear light and returns what the sensor saw and where that lies."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.blur.dynamic import expose, random_blobs, sample_layer_paths
from unblur.blur.gyro import trajectory_from_rotation
from unblur.blur.kernels import disk_kernel, gaussian_kernel, kernel_from_trajectory, linear_kernel
from unblur.blur.trajectories import fit_path, sample_motion_path
from unblur.datasets.gyro import read_gyro

__all__ = ["Blur", "Exposed", "defocus", "gaussian", "line", "moving_object", "shake", "turning_shake", "uniform"]

_STEPS = 33
_TURN_AT_CORNER = (8.0, 20.0)
"""Way of a corner of the photo by the camera's roll alone, pixels."""


class Exposed(NamedTuple):
    """What the sensor saw.

    Attributes:
        image: `(1, C, h, w)` in linear light, smaller than the scene by `crop` on each side.
        crop: (rows, columns).
        kernel: The blur, if it is the same everywhere.
    """

    image: Tensor
    crop: tuple[int, int] = (0, 0)
    kernel: Tensor | None = None


Blur = Callable[[Tensor, torch.Generator], Exposed]
"""A blur with its ranges: scene `(1, C, H, W)` in linear light, source of random numbers."""


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """A number between two others."""
    return low + (high - low) * float(torch.rand((), generator=generator, dtype=torch.float64))


def shake(smallest: int, largest: int) -> Blur:
    """Camera shake whose kernel fills a box of that many pixels a side, the same everywhere."""

    def blur(scene: Tensor, generator: torch.Generator) -> Exposed:
        side = int(uniform(smallest, largest + 0.99, generator)) // 2 * 2 + 1
        path = sample_motion_path(side, generator, length=(1.2 * side, 2.5 * side))
        filling = path * (side // 2 / max(float(path.abs().max()), 1e-6))
        return _convolved(scene, kernel_from_trajectory(fit_path(filling, side), side))

    return blur


def line(shortest: float, longest: float) -> Blur:
    """Straight motion in any direction, the same everywhere."""

    def blur(scene: Tensor, generator: torch.Generator) -> Exposed:
        return _convolved(scene, linear_kernel(uniform(shortest, longest, generator), uniform(0, 180, generator)))

    return blur


def defocus(smallest: float, largest: float) -> Blur:
    """A disk of that radius in pixels."""

    def blur(scene: Tensor, generator: torch.Generator) -> Exposed:
        return _convolved(scene, disk_kernel(uniform(smallest, largest, generator)))

    return blur


def gaussian(smallest: float, largest: float) -> Blur:
    """A round Gaussian of that standard deviation in pixels."""

    def blur(scene: Tensor, generator: torch.Generator) -> Exposed:
        sigma = uniform(smallest, largest, generator)
        return _convolved(scene, gaussian_kernel(sigma, sigma, 0.0))

    return blur


def turning_shake(recordings: Path) -> Blur:
    """Camera shake with roll, as gyroscopes recorded it: the kernel varies over the photo."""

    def blur(scene: Tensor, generator: torch.Generator) -> Exposed:
        files = sorted(recordings.glob("gopro_*.npz"))
        track = read_gyro(files[int(uniform(0, len(files) - 1e-6, generator))])
        lasts = min(uniform(1 / 15, 1 / 4, generator), float(track.times[-1]))
        start = uniform(0, float(track.times[-1]) - lasts, generator)
        roll_start = uniform(0, float(track.times[-1]) - lasts, generator)
        way, other = (
            trajectory_from_rotation(
                track.rates, track.times, start=begin, exposure=lasts, focal_length=1000.0, steps=_STEPS
            )
            for begin in (start, roll_start)
        )
        way = way * (uniform(6, 16, generator) / max(float((way.amax(0) - way.amin(0)).max()), 1e-6))
        # The recordings agree on pan and tilt only, so the roll follows another stretch of the same hand.
        roll, corner = other[:, 1], math.hypot(*scene.shape[-2:]) / 2
        roll = roll * (uniform(*_TURN_AT_CORNER, generator) / corner / max(float(roll.max() - roll.min()), 1e-6))
        # Shift and roll have the mean 0: the truth is the scene in the mean pose, as it is where the kernel is centred.
        path = torch.cat([way, roll[:, None]], 1)
        nothing = torch.zeros(0, *scene.shape[-2:], dtype=torch.bool)
        reach = math.ceil(float(path[:, :2].abs().max()) + corner * float(path[:, 2].abs().max()))
        return _cropped(expose(scene, nothing, path[None]).blurry, reach)

    return blur


def moving_object(shake_length: float) -> Blur:
    """One object that moves by itself before a background that is sharp, or shaken along a way of that many pixels."""

    def blur(scene: Tensor, generator: torch.Generator) -> Exposed:
        masks = random_blobs((scene.shape[-2], scene.shape[-1]), 1, generator)
        paths = sample_layer_paths(
            1, generator, object_length=(10, 30), shake_length=shake_length, turn=math.radians(4), steps=_STEPS
        )
        reach = math.ceil(float(paths[0, :, :2].abs().max()))
        return _cropped(expose(scene, masks, paths).blurry, reach)

    return blur


def _convolved(scene: Tensor, kernel: Tensor) -> Exposed:
    crop = kernel.shape[-2] // 2, kernel.shape[-1] // 2
    return Exposed(convolve(scene, kernel, "valid"), crop, kernel)


def _cropped(blurred: Tensor, reach: int) -> Exposed:
    height, width = blurred.shape[-2:]
    return Exposed(blurred[..., reach : height - reach, reach : width - reach], (reach, reach))
