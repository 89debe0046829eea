"""A straight motion fitted to the photo, beginning with a kernel that was found there.

A line of even light has four numbers, length, direction and middle, so it is exact where a free kernel is ragged. They
minimise the misfit that the kernel was fitted by, under the same edges of the latent image.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cosine_similarity

from unblur.blur.fft import kernel_spectrum
from unblur.blur.kernels import fit_box, kernel_axes, linear_kernel, trim_box
from unblur.errors import KernelError
from unblur.methods.kernel_search.families import BROADEST_LINE, length_of_line
from unblur.methods.kernel_search.kernel_step import NormalEquations, normal_equations
from unblur.methods.kernel_search.latent_step import LatentStep
from unblur.methods.kernel_search.pyramid import SECOND_PASS
from unblur.solvers.priors import PRIORS

__all__ = ["StraightMotion", "fit_straight_motion"]

_STRENGTH = 1e-3
"""Of the prior: about what a second pass ends with."""
_ROOM = 2
"""Pixels that the line may be longer on each side than the kernel's box."""
_STEPS = (1.0, 4.0, 0.3, 0.3)
_HALVINGS = 5
"""First steps in length (pixels), direction (degrees) and middle (pixels right and down); how often they are halved."""
_SWEEPS = 40
"""At most: most lines take a third of it."""

_Line = tuple[float, ...]
"""Length, direction and middle (right, down)."""


class StraightMotion(NamedTuple):
    """A line in place of a kernel.

    Attributes:
        kernel: The line, in the box that just holds it.
        similarity: Its normalised correlation with the kernel: 1, they are the same.
    """

    kernel: Float[Tensor, "1 1 n n"]
    similarity: float


def fit_straight_motion(grey: Float[Tensor, "1 1 h w"], kernel: Float[Tensor, "1 1 k k"]) -> StraightMotion | None:
    """The straight motion that explains a photo best near the kernel; None: that is about as broad as long.

    Args:
        grey: The photo, or the part of it that is looked at, in the encoding of the blur, in [0, 1].
        kernel: What was found, centred, sum 1.
    """
    axes = kernel_axes(kernel)
    if axes.across > BROADEST_LINE * axes.along:
        return None
    boxed = fit_box(kernel, kernel.shape[-1] + 2 * _ROOM)
    equations = _equations(grey, boxed)

    def misfit(line: _Line) -> float:
        drawn = _draw(line, boxed)
        return math.inf if drawn is None else float(equations.misfit(drawn))

    line = _draw(_descend(misfit, (length_of_line(axes.along), axes.angle, 0.0, 0.0)), boxed)
    if line is None:
        return None
    return StraightMotion(trim_box(line), float(cosine_similarity(line.flatten(), boxed.flatten(), dim=0)))


def _equations(grey: Tensor, kernel: Tensor) -> NormalEquations:
    """The least squares for the kernel, under the edges of the photo deconvolved with it."""
    step = LatentStep(grey, kernel.shape[-1], PRIORS["l0"], SECOND_PASS.descent.final_penalty)
    size = step.frame.size
    blur = kernel_spectrum(kernel, size)
    latent = step.sharpen(blur, torch.full_like(kernel[..., :1, :1], _STRENGTH))
    edges = step.certain_edges(latent, [SECOND_PASS.edge_share])
    weight = step.weights(blur, [SECOND_PASS.whitening])
    return normal_equations(edges, step.blurry, kernel.shape[-1], size, weight)


def _draw(line: _Line, like: Tensor) -> Tensor | None:
    """The kernel of a line, of the size of another; None: it does not fit."""
    length, angle, right, down = line
    try:
        return linear_kernel(max(length, 1.0), angle, offset=(right, down), size=like.shape[-1]).to(like)
    except KernelError:
        return None


def _descend(misfit: Callable[[_Line], float], line: _Line) -> _Line:
    """A minimum near `line`, by steps along one axis after the other, which are halved where none is a gain."""
    least, scale = misfit(line), 1.0
    for _ in range(_SWEEPS):
        before = least
        for axis, step in enumerate(_STEPS):
            for change in (scale * step, -scale * step):
                moved = (*line[:axis], line[axis] + change, *line[axis + 1 :])
                found = misfit(moved)
                if found < least:
                    least, line = found, moved
                    break
        if least == before:
            scale /= 2
        if scale < 0.5**_HALVINGS:
            break
    return line
