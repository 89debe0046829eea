"""Blur kernels: shapes `(1, 1, kH, kW)`, odd sizes, non-negative, sum 1, centre at `(kH // 2, kW // 2)`.

Angles are degrees counter-clockwise from the right, as on paper; offsets and points are (right, down) in pixels.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.errors import KernelError

__all__ = [
    "Kernel",
    "KernelAxes",
    "centre_kernel",
    "check_kernel",
    "disk_kernel",
    "fit_box",
    "gaussian_kernel",
    "kernel_axes",
    "kernel_from_trajectory",
    "linear_kernel",
    "offset_of_mass",
    "trim_box",
]

Kernel = Float[Tensor, "1 1 kh kw"]


def fit_box(kernel: Float[Tensor, "b c kh kw"], side: int) -> Float[Tensor, "b c side side"]:
    """The kernel in the middle of a square box: with zeros around it, or cut to the box; sum 1."""
    rows, columns = ((side - size) // 2 for size in kernel.shape[-2:])
    boxed = F.pad(kernel, (columns, columns, rows, rows))  # negative padding cuts
    return boxed / boxed.sum((-2, -1), keepdim=True)


def trim_box(kernel: Float[Tensor, "1 1 k k"]) -> Float[Tensor, "1 1 k2 k2"]:
    """The kernel in the smallest odd square box, at least 3 pixels, around its centre that holds all of it."""
    centre = kernel.shape[-1] // 2
    rows, columns = torch.nonzero(kernel[0, 0], as_tuple=True)
    reach = max(1, int(torch.cat([rows, columns]).sub(centre).abs().max()))
    return kernel[..., centre - reach : centre + reach + 1, centre - reach : centre + reach + 1]


def linear_kernel(
    length: float, angle_degrees: float, *, offset: tuple[float, float] = (0.0, 0.0), size: int | None = None
) -> Kernel:
    """Straight motion at constant speed: an anti-aliased segment.

    A pixel at distance d from a segment of `length - 1` weighs `max(0, 1 - d)`: length 1 without offset is an impulse.

    Args:
        length: Extent of the blur in pixels, at least 1.
        angle_degrees: Direction of the motion; 180 degrees more is the same kernel.
        offset: Where the middle of the segment lies (right, down) from the kernel's centre, pixels.
        size: Odd side of the kernel; None: the smallest that holds the segment.

    Raises:
        KernelError: Length below 1, or a size that is even or too small.
    """
    if length < 1:
        raise KernelError(f"a line of motion is at least 1 pixel long, not {length:g}")
    angle = math.radians(angle_degrees)
    half = (length - 1) / 2
    right, down = half * math.cos(angle), -half * math.sin(angle)
    reach = max(abs(right) + abs(offset[0]), abs(down) + abs(offset[1])) + 1
    x, y = _grid(_fitting_size(reach, size))
    x, y = x - offset[0], y - offset[1]
    along = (x * math.cos(angle) - y * math.sin(angle)).clamp(-half, half)
    distance = torch.hypot(x - along * math.cos(angle), y + along * math.sin(angle))
    return _normalised((1 - distance).clamp_min(0))


def disk_kernel(radius: float, *, size: int | None = None) -> Kernel:
    """Defocus: a disk of uniform light with an edge one pixel wide; radius 0 is an impulse.

    Args:
        radius: Pixels, not negative.
        size: Odd side of the kernel; None: the smallest that holds the disk.

    Raises:
        KernelError: A negative radius, or a size that is even or too small.
    """
    if radius < 0:
        raise KernelError(f"a disk has a radius of 0 pixels or more, not {radius:g}")
    x, y = _grid(_fitting_size(radius + 0.5, size))
    return _normalised((radius + 0.5 - torch.hypot(x, y)).clamp(0, 1))


def gaussian_kernel(
    sigma_x: float, sigma_y: float | None = None, angle_degrees: float = 0.0, *, size: int | None = None
) -> Kernel:
    """A Gaussian, sampled at the pixel centres.

    Args:
        sigma_x: Standard deviation along the direction `angle_degrees`, pixels, above 0.
        sigma_y: Across it; None: the same.
        angle_degrees: Direction of `sigma_x`.
        size: Odd side of the kernel; None: reaches 3.5 standard deviations.

    Raises:
        KernelError: A standard deviation that is not positive, or an even size.
    """
    sigma_y = sigma_x if sigma_y is None else sigma_y
    if min(sigma_x, sigma_y) <= 0:
        raise KernelError(f"standard deviations are above 0 pixels, not {sigma_x:g} and {sigma_y:g}")
    x, y = _grid(_fitting_size(3.5 * max(sigma_x, sigma_y), None) if size is None else _odd(size))
    cos, sin = math.cos(math.radians(angle_degrees)), math.sin(math.radians(angle_degrees))
    along, across = (x * cos - y * sin) / sigma_x, (x * sin + y * cos) / sigma_y
    return _normalised(torch.exp(-(along.square() + across.square()) / 2))


def kernel_from_trajectory(points: Float[Tensor, "n 2"], size: int) -> Kernel:
    """The kernel of a path: each point leaves the same light, shared bilinearly among the four pixels around it.

    Args:
        points: (right, down) from the kernel's centre in pixels, at equal steps of time; close enough together that
            no gap opens (half a pixel).
        size: Odd side of the kernel.

    Raises:
        KernelError: No points, an even size, or a point outside the kernel.
    """
    radius = _odd(size) // 2
    if len(points) == 0 or not bool((points.abs() <= radius).all()):
        raise KernelError(f"a path has points, all within {radius} pixels of the centre of a {size}x{size} kernel")
    column, row = (points.double() + radius).unbind(-1)
    left, top = column.floor(), row.floor()
    kernel = torch.zeros(size + 1, size + 1, dtype=torch.float64)  # one more: the neighbour of the last pixel
    for down, weight_y in ((0, 1 - (row - top)), (1, row - top)):
        for right, weight_x in ((0, 1 - (column - left)), (1, column - left)):
            place = (top.long() + down, left.long() + right)
            kernel.index_put_(place, weight_x * weight_y, accumulate=True)
    return _normalised(kernel[:size, :size].float())


def centre_kernel(kernel: Float[Tensor, "b c kh kw"]) -> Float[Tensor, "b c kh kw"]:
    """The kernel moved by whole pixels so that its centre of mass lies at its centre; size and sum stay.

    What would leave the frame is dropped and the rest scaled up to the same sum.
    """
    moved = torch.zeros_like(kernel)
    for source, target in zip(kernel.flatten(0, 1), moved.flatten(0, 1), strict=True):
        down, right = (round(float(c)) for c in _offset_of_mass(source))
        rows, columns = source.shape
        inside = source[max(down, 0) : rows + min(down, 0), max(right, 0) : columns + min(right, 0)]
        top, left = max(-down, 0), max(-right, 0)
        target[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return moved * (kernel.sum((-2, -1), keepdim=True) / moved.sum((-2, -1), keepdim=True))


class KernelAxes(NamedTuple):
    """Second moments of a kernel.

    Attributes:
        across: Standard deviation across the main direction, pixels.
        along: Standard deviation along it.
        angle: The main direction, degrees.
    """

    across: float
    along: float
    angle: float


def kernel_axes(kernel: Kernel) -> KernelAxes:
    """Spread and direction of a kernel, from the covariance of where its light falls."""
    weights = kernel[0, 0].double() / kernel.double().sum()
    down, right = _offset_of_mass(weights)
    rows, columns = (torch.arange(side, dtype=torch.float64, device=kernel.device) for side in weights.shape)
    y, x = (rows - len(rows) // 2 - down)[:, None], (columns - len(columns) // 2 - right)[None, :]
    matrix = torch.stack([(weights * a * b).sum() for a, b in ((y, y), (y, x), (x, y), (x, x))]).view(2, 2)
    variances, directions = torch.linalg.eigh(matrix)
    across, along = variances.clamp_min(0).sqrt().tolist()
    return KernelAxes(across, along, -math.degrees(math.atan2(*directions[:, 1].tolist())))


def check_kernel(kernel: Tensor, image_size: tuple[int, int] | None = None) -> None:
    """Accept a kernel that can blur an image.

    Args:
        kernel: `(B, 1 or C, kH, kW)`.
        image_size: (height, width) that the kernel must not exceed.

    Raises:
        KernelError: Wrong number of axes, even size, values that are not finite or negative, a sum that is not 1, or
            larger than the image.
    """
    if kernel.ndim != 4:
        raise KernelError(f"a kernel has four axes (batch, channel, height, width), not {kernel.ndim}")
    height, width = kernel.shape[-2:]
    if height % 2 == 0 or width % 2 == 0:
        raise KernelError(f"a kernel has odd sizes, so that it has a centre; this one has {width}x{height}")
    if not bool(torch.isfinite(kernel).all()):
        raise KernelError("the kernel holds values that are not finite numbers")
    if bool((kernel < 0).any()):
        raise KernelError("the kernel holds negative values; light is never negative")
    sums = kernel.sum((-2, -1))
    if bool((sums == 0).any()):
        raise KernelError("the kernel is zero everywhere")
    if bool(((sums - 1).abs() > 1e-3).any()):
        raise KernelError(f"a kernel sums to 1; this one sums to {float(sums.flatten()[0]):g}")
    if image_size is not None and (height > image_size[0] or width > image_size[1]):
        raise KernelError(
            f"the kernel ({width}x{height} pixels) is larger than the image ({image_size[1]}x{image_size[0]})"
        )


def _odd(size: int) -> int:
    if size < 1 or size % 2 == 0:
        raise KernelError(f"a kernel has an odd number of pixels on a side, not {size}")
    return size


def _fitting_size(reach: float, size: int | None) -> int:
    """The side that holds every pixel less than `reach` from the centre, or `size` if that is enough."""
    needed = 2 * (math.ceil(reach - 1e-9) - 1) + 1 if reach > 0 else 1
    if size is not None and _odd(size) < needed:
        raise KernelError(f"this blur needs a kernel of {needed}x{needed} pixels, more than {size}x{size}")
    return size or max(needed, 1)


def _grid(size: int) -> tuple[Tensor, Tensor]:
    """(right, down) of each pixel from the centre."""
    axis = torch.arange(size, dtype=torch.float32) - size // 2
    return axis[None, :].expand(size, size), axis[:, None].expand(size, size)


def _normalised(weights: Tensor) -> Tensor:
    return (weights / weights.sum())[None, None]


def offset_of_mass(kernel: Kernel) -> tuple[int, int]:
    """(right, down) of the centre of mass from the kernel's centre, in whole pixels."""
    down, right = _offset_of_mass(kernel[0, 0])
    return round(float(right)), round(float(down))


def _offset_of_mass(kernel: Tensor) -> tuple[Tensor, Tensor]:
    """(down, right) of the centre of mass from the kernel's centre."""
    rows = torch.arange(kernel.shape[0], device=kernel.device, dtype=kernel.dtype) - kernel.shape[0] // 2
    columns = torch.arange(kernel.shape[1], device=kernel.device, dtype=kernel.dtype) - kernel.shape[1] // 2
    total = kernel.sum()
    return (kernel.sum(1) @ rows) / total, (kernel.sum(0) @ columns) / total
