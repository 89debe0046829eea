"""Camera shake as a gyroscope measured it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import KernelError

__all__ = ["trajectory_from_rotation"]


def trajectory_from_rotation(
    rates: Float[Tensor, "n 2"],
    times: Float[Tensor, " n"],
    *,
    start: float,
    exposure: float,
    focal_length: float,
    steps: int = 512,
) -> Float[Tensor, "t 2"]:
    """The path that a far point draws on the sensor while the camera turns, centred on its mean.

    Small angles without roll: the point moves by `focal_length` times the angle, the same everywhere in the image. The
    angle is the integral of the rates by the trapezoid rule, linear between measurements.

    Args:
        rates: Speed of turning about the upright axis (pan) and the level axis (tilt), radians a second.
        times: When they were measured, seconds, rising.
        start: When the exposure begins.
        exposure: How long it lasts, seconds.
        focal_length: Focal length in pixels.
        steps: Points of the path.

    Returns:
        (right, down) in pixels at equal steps of time.

    Raises:
        KernelError: The exposure is not inside the recording.
    """
    rates, times = rates.double(), times.double()
    if len(times) < 2 or exposure <= 0 or start < float(times[0]) or start + exposure > float(times[-1]) + 1e-9:
        spans = f"{float(times[0]):g} to {float(times[-1]):g} s" if len(times) else "nothing"
        raise KernelError(f"the exposure from {start:g} to {start + exposure:g} s is not in the recording of {spans}")
    means = (rates[1:] + rates[:-1]) / 2
    angles = torch.cat([torch.zeros_like(rates[:1]), (means * times.diff()[:, None]).cumsum(0)])
    moments = start + exposure * torch.linspace(0, 1, steps, dtype=torch.float64)
    after = torch.searchsorted(times, moments).clamp(1, len(times) - 1)
    since = (moments - times[after - 1])[:, None]
    step = (times[after] - times[after - 1]).clamp_min(1e-12)[:, None]
    # within an interval the rate is linear, so the angle is a parabola
    slope = (rates[after] - rates[after - 1]) / step
    path = focal_length * (angles[after - 1] + rates[after - 1] * since + slope * since.square() / 2)
    return (path - path.mean(0)).float()
