"""Random paths of a shaking camera.

The model of Boracchi and Foi, "Modeling the performance of image restoration from motion blur", IEEE TIP 2012: a point
with inertia is pushed at random, pulled back to where it started, and now and then jerked round.
"""

from __future__ import annotations

import cmath
import math

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.kernels import Kernel, kernel_from_trajectory
from unblur.errors import KernelError

__all__ = ["fit_path", "sample_motion_kernel", "sample_motion_path", "sample_trajectory"]


def sample_trajectory(
    generator: torch.Generator,
    *,
    length: float,
    steps: int = 512,
    anxiety: float = 0.15,
    centripetal: float = 0.7,
    impulse_rate: float = 2.0,
) -> Float[Tensor, "n 2"]:
    """A random path of the camera during one exposure, centred on its mean.

    Args:
        generator: Draws the path.
        length: Way along the path in pixels.
        steps: Points of the path, at equal steps of time.
        anxiety: Size of the random pushes: over the whole exposure they add up to so many times the speed.
        centripetal: Pull back to the start; at 0 the path wanders freely.
        impulse_rate: Mean number of jerks over the exposure; a jerk turns the motion roughly back.

    Returns:
        (right, down) in pixels, in time order.
    """
    pushes = torch.randn(steps, 2, generator=generator, dtype=torch.float64).mul(anxiety / math.sqrt(steps)).tolist()
    jerked = (torch.rand(steps, generator=generator) < impulse_rate / steps).tolist()
    turns = (math.pi + torch.randn(steps, generator=generator, dtype=torch.float64) / 2).tolist()
    start = 2 * math.pi * float(torch.rand((), generator=generator))
    # complex numbers as points of the plane: one path is too short a job for tensor operations
    position, velocity = 0j, cmath.rect(1.0, start)
    path: list[complex] = []
    for push, is_jerked, turn in zip(pushes, jerked, turns, strict=True):
        path.append(position)
        velocity += complex(*push) - centripetal * position / steps
        if is_jerked:
            velocity *= cmath.rect(1.0, turn)
        position += velocity / steps
    points = torch.view_as_real(torch.tensor(path, dtype=torch.complex128))
    way = points.diff(dim=0).norm(dim=-1).sum()
    points = points * (length / way)
    return (points - points.mean(0)).float()


def sample_motion_kernel(size: int, generator: torch.Generator, *, length: tuple[float, float] | None = None) -> Kernel:
    """The kernel of a random camera shake; see `sample_motion_path`."""
    return kernel_from_trajectory(sample_motion_path(size, generator, length=length), size)


def sample_motion_path(
    size: int, generator: torch.Generator, *, length: tuple[float, float] | None = None
) -> Float[Tensor, "n 2"]:
    """The path of a random camera shake, of random temper, that fits into a kernel.

    Args:
        size: Odd side of the kernel, at least 3. A path that would reach outside is shrunk to fit.
        generator: Draws path and length.
        length: Range of the way along the path in pixels, drawn evenly; None: from a quarter of the size to one and a
            half times the size.

    Raises:
        KernelError: An even size or one below 3.
    """
    if size < 3 or size % 2 == 0:
        raise KernelError(f"a kernel for camera shake has an odd side from 3 pixels up, not {size}")
    shortest, longest = length or (size / 4, 1.5 * size)
    way = shortest + (longest - shortest) * float(torch.rand((), generator=generator))
    steps = max(64, math.ceil(8 * way))
    anxiety, centripetal, impulses = (float(v) for v in torch.rand(3, generator=generator))
    points = sample_trajectory(
        generator, length=way, steps=steps, anxiety=2 * anxiety, centripetal=8 * centripetal, impulse_rate=3 * impulses
    )
    return fit_path(points, size)


def fit_path(points: Float[Tensor, "n 2"], size: int) -> Float[Tensor, "n 2"]:
    """The path, shrunk if need be until it lies inside a kernel of that odd side."""
    radius = size // 2
    shrunk = points * min(1.0, radius / max(float(points.abs().max()), 1e-6))
    return shrunk.clamp(-radius, radius)  # for rounding
