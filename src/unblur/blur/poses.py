"""Blur by a camera that shifts and turns about its axis of view: how long it stayed in each pose.

The kernel differs from place to place: it is the light of all poses, each moved by as much as its turn moves the place
(Whyte, Sivic, Zisserman and Ponce, CVPR 2010, with rotation about one axis; the other two are shifts, nearly).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from unblur.blur.fft import from_spectrum, good_size, kernel_spectrum, multiply, multiply_conjugate
from unblur.blur.kernels import trim_box

__all__ = ["Place", "PoseBlur", "PoseKernels"]

_FAINTEST = 0.02
"""Share of the largest value of a kernel below which a value is left out."""


class Place(NamedTuple):
    """A place in the photo, in pixels from its middle."""

    right: float
    down: float


@dataclass(frozen=True)
class PoseBlur:
    """The light of each pose.

    Attributes:
        shifts: `(T, 1, k, k)`, odd side, not negative, sum of all 1: for each turn, how the camera's shifts blur the
            middle of the photo, in pixels.
        angles: `(T,)`: the turns, ascending, radians, clockwise on the screen about the middle of the photo.
    """

    shifts: Float[Tensor, "t 1 k k"]
    angles: Float[Tensor, " t"]

    @property
    def turn(self) -> float:
        """The angle of a steady turn that is spread as far as this one, radians."""
        light = self.shifts.sum((1, 2, 3))
        mean = (light * self.angles).sum() / light.sum()
        return float((12 * (light * (self.angles - mean).square()).sum() / light.sum()).sqrt())

    def centred(self) -> PoseBlur:
        """The same blur of a scene that is seen in its mean pose: mean turn 0, mean shift 0 to half a pixel."""
        light = self.shifts.sum((1, 2, 3))
        angles = self.angles - (light * self.angles).sum() / light.sum()
        steps = torch.arange(self.shifts.shape[-1], dtype=light.dtype, device=light.device)
        middle = self.shifts.shape[-1] // 2
        all_turns = self.shifts.sum((0, 1))
        down, right = (round(float((all_turns.sum(axis) * steps).sum())) - middle for axis in (1, 0))
        return replace(self, shifts=torch.roll(self.shifts, (-down, -right), (-2, -1)), angles=angles)

    def spread_over(self, angles: Float[Tensor, " s"]) -> PoseBlur:
        """Nearly the same blur with other turns, evenly spaced and ascending: each one's light goes to those near it.

        Those are the turns within a step of the coarser one of both; light beyond the last turn goes to the last.
        """
        step = max(_step_of(self.angles), _step_of(angles))
        away = (angles[:, None] - self.angles.clamp(angles[0], angles[-1])).abs()
        shares = (1 - away / step).clamp_min(0) if step else torch.ones_like(away)
        shares = shares / shares.sum(0)
        return PoseBlur(torch.einsum("st,tcyx->scyx", shares, self.shifts), angles)

    def kernel_at(self, place: Place) -> Float[Tensor, "1 1 n n"]:
        """The kernel at a place, in the smallest odd square box that holds it, sum 1."""
        kernel = PoseKernels([place], self.angles, self.shifts.shape[-1]).kernels(self.shifts)
        strong = torch.where(kernel < _FAINTEST * kernel.amax(), 0.0, kernel)
        return trim_box(strong / strong.sum())


def _step_of(angles: Tensor) -> float:
    """From one turn to the next; 0: there is one alone."""
    return float(angles[1] - angles[0]) if len(angles) > 1 else 0.0


class PoseKernels:
    """The linear map from the light of all poses to the kernels at some places, and its adjoint.

    A turn moves a place by a fraction of a pixel; its light is then shared bilinearly among four pixels.

    Args:
        places: Where.
        angles: `(T,)`: the turns, radians.
        side: Odd side of the boxes of shifts.

    Attributes:
        box: Odd side of the kernels: that of the shifts, and as much more as the turns move the places.
    """

    def __init__(self, places: Sequence[Place], angles: Float[Tensor, " t"], side: int) -> None:
        farthest = max(math.hypot(*place) for place in places)
        self.side, self.box = side, side + 2 * math.ceil(farthest * float(angles.abs().max()))
        frame = good_size(2 * self.box)
        self._size = (frame, frame)
        turned = torch.tensor([(-down, right) for right, down in places], dtype=angles.dtype, device=angles.device)
        self.moves = _moves(turned[:, None] * angles[None, :, None], self._size)

    def kernels(self, shifts: Float[Tensor, "t 1 k k"]) -> Float[Tensor, "i 1 n n"]:
        """The kernel at each place; sum 1, where the light of all poses has it."""
        return self._cut(self._spectra(shifts), self.box)

    def correlate(
        self, operator: Float[Tensor, "i 1 fn fn2"], shifts: Float[Tensor, "t 1 k k"]
    ) -> Float[Tensor, "i 1 n n"]:
        """The kernels, each convolved with the operator of its place, a symmetric one: its spectrum is real."""
        return self._cut(operator[:, 0] * self._spectra(shifts), self.box)

    def adjoint(self, kernels: Float[Tensor, "i 1 n n"]) -> Float[Tensor, "t 1 k k"]:
        """What the kernels say of the light of each pose."""
        spectra = kernel_spectrum(kernels[:, 0], self._size)
        return self._cut(multiply_conjugate(self.moves, spectra[:, None].expand_as(self.moves)).sum(0), self.side)

    def curvature(self, operator: Float[Tensor, "i 1 fn fn2"]) -> float:
        """The largest curvature of the quadratic form whose gradient is `adjoint(correlate(operator, shifts))`."""
        weighted = operator[:, 0, None] * self.moves
        forms = torch.einsum("ityx,isyx->yxts", weighted.conj(), self.moves)
        return float(torch.linalg.eigvalsh(forms).amax())

    def _spectra(self, shifts: Tensor) -> Complex[Tensor, "i fn fn2"]:
        spectra = kernel_spectrum(shifts[:, 0], self._size)
        return multiply(self.moves, spectra.expand_as(self.moves)).sum(1)

    def _cut(self, spectra: Tensor, side: int) -> Tensor:
        """Images around the origin of their frame, in boxes."""
        reach = side // 2
        return torch.roll(from_spectrum(spectra, self._size), (reach, reach), (-2, -1))[:, None, :side, :side]


def _moves(ways: Float[Tensor, "i t 2"], size: tuple[int, int]) -> Complex[Tensor, "i t fn fn2"]:
    """Spectra of bilinear shifts by ways (right, down) in pixels, on a frame of that size."""
    down = _along(ways[..., 1], 2 * math.pi * torch.fft.fftfreq(size[0], dtype=ways.dtype, device=ways.device))
    right = _along(ways[..., 0], 2 * math.pi * torch.fft.rfftfreq(size[1], dtype=ways.dtype, device=ways.device))
    return down[..., :, None] * right[..., None, :]


def _along(way: Float[Tensor, "i t"], frequencies: Float[Tensor, " f"]) -> Complex[Tensor, "i t f"]:
    """Spectra of shifts along one axis; frequencies in radians a pixel."""
    whole = way.floor()
    part = (way - whole)[..., None]
    phase = whole[..., None] * frequencies
    ones = torch.ones_like(phase)
    return torch.polar(ones, -phase) * (1 - part + part * torch.polar(ones, -frequencies.expand_as(phase)))
