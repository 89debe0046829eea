"""The search for the blur of a camera that turned: one light of poses that explains all parts of the photo.

Latent images of patches from all over the photo and the light of all poses are found in alternation, as a kernel is,
from a kernel that explains a part of the photo.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import kernel_spectrum
from unblur.blur.kernels import fit_box
from unblur.blur.poses import Place, PoseBlur, PoseKernels
from unblur.methods.kernel_search.kernel_step import NormalEquations, normal_equations, resize_kernel
from unblur.methods.kernel_search.latent_step import LatentStep
from unblur.methods.region import find_informative
from unblur.solvers.descent import AcceleratedDescent
from unblur.solvers.priors import LatentPrior

__all__ = ["compare_edges", "search_turn"]

_SCALES = (0.35, 0.5, 0.5**0.5, 1.0)
_LEAST_TURN, _MOST_TURN = 9.0, 23.0
"""Way of the corners of the photo in pixels at its own size: a blur that turns them less, after any of the levels, is
left to the search for one kernel; one that turns them more has its light at both ends, which is noise. Of 121 photos
and mosaics of BSDS500 whose camera turned, 96 lie between at all levels; the other 25 lost 0.6 dB by what was found."""
_MOST_WAY = 10.0
"""In the same unit: the way of the largest turn to either side."""
_STEP = 2.0
"""Way of the corners from one turn to the next, in pixels of the level: turns that lie closer together blur a small
photo alike, and the light is spread over all of them. On 8 mosaics of BSDS500 val 1.7 dB are gained in place of 1.5."""
_PATCH = 90
_CELLS = (4, 6)
"""Side of the patches in pixels, and into how many parts the photo's short and long side are divided: each part has its
most informative patch. The kernel varies within a patch, too: larger ones gain less."""
_LEAST_SHARE = 0.6
_ROUNDS = 5
"""On 12 photos of BSDS500 val five gain 1.8 dB, three and eight 1.4: more rounds spread the light over more poses."""
_STRENGTH, _WEAKENING, _WEAKEST = 4e-3, 1.1, 1e-4
_FINAL_PENALTY = 25.0
_EDGE_SHARE = 0.1
_DESCENT_STEPS = 60
_FAINTEST = 0.01
"""Light of a pose below this share of the most becomes zero."""
_STRENGTH_TO_COMPARE = 2e-3
_EDGE = 0.01
_BORDER = 8
"""Where two blurs are compared by their edges: strength of the prior, the least difference of neighbours that is an
edge, and the border of the patches, in pixels, that does not count."""
_TOO_MANY_EDGES = (math.inf, 1.1, 1.05, math.inf)
"""A level ends the search where its blur leaves so many more edges than the one kernel does; one for each scale. Of 13
photos of BSDS500 val that did not turn and came to the second, two end there and four more at the third. Ending at
1.0 spares more time and loses turns that show at the last scale alone."""
_SMALL_ENOUGH_FROM = 0.5
"""Scale from which on a turn may be too large: what is too much at first may become less."""
_ROOM = 2
_LEAST_BOX = 21

Grey = Float[Tensor, "1 1 h w"]


class _Patches(NamedTuple):
    """Parts of the photo at the size of a level, all of one size, and where their middles are."""

    images: Float[Tensor, "i 1 p p"]
    places: list[Place]


def search_turn(
    grey: Grey,
    start: Float[Tensor, "1 1 k k"],
    prior: LatentPrior,
    on_round: Callable[[float], None],
) -> PoseBlur | None:
    """The blur of a camera that turned while it shook; None: it hardly turned, or one kernel leaves as few edges.

    Args:
        grey: The photo in the encoding where it blurs, in [0, 1].
        start: A kernel that explains a part of the photo.
        prior: What a sharp image looks like.
        on_round: Called with the share of the work that is done; raises to stop.
    """
    height, width = grey.shape[-2:]
    corner = math.hypot(height, width) / 2
    first = fit_box(start, max(start.shape[-1] + 2 * _ROOM, _LEAST_BOX))
    blur = PoseBlur(first, grey.new_zeros(1))
    strength = _STRENGTH
    for number, scale in enumerate(_SCALES):
        turning = blur.spread_over(_angles(_STEP / scale, corner, grey))
        level = _Level(grey, scale, _resized(turning, first.shape[-1] * scale), prior)
        for done in range(_ROUNDS):
            level.run_round(strength)
            strength = max(strength / _WEAKENING, _WEAKEST)
            on_round((number + (done + 1) / _ROUNDS) / len(_SCALES))
        blur = level.blur
        most = _MOST_TURN if scale >= _SMALL_ENOUGH_FROM else math.inf
        if not _LEAST_TURN <= blur.turn * corner <= most:
            return None
        most_edges = _TOO_MANY_EDGES[number]
        if most_edges < math.inf and level.compare_edges(_kernel_at(start, scale)) >= most_edges:
            return None
    return blur


def compare_edges(
    grey: Grey, kernel: Float[Tensor, "1 1 k k"], blur: PoseBlur, prior: LatentPrior
) -> Float[Tensor, ""]:
    """Edges that the photo is explained with under the blur of a camera that turned, over those under one kernel.

    The wrong blur leaves traces that only more edges explain.

    Args:
        grey: As in `search_turn`, as all others.
        kernel: The one kernel.
        blur: What was found.
        prior: See there.
    """
    return _compare(_cut(grey, 1.0), kernel, blur, prior)


def _compare(
    patches: _Patches, kernel: Float[Tensor, "1 1 k k"], blur: PoseBlur, prior: LatentPrior
) -> Float[Tensor, ""]:
    """See `compare_edges`; of these patches, in pixels of their size."""
    turned = [blur.kernel_at(place) for place in patches.places]
    box = max(one.shape[-1] for one in (kernel, *turned))
    step = LatentStep(patches.images, box, prior, _FINAL_PENALTY)

    def count(kernels: Sequence[Tensor]) -> Tensor:
        spectra = kernel_spectrum(torch.cat([fit_box(one, box) for one in kernels]), step.frame.size)
        latent = step.frame.crop(step.sharpen(spectra, kernel.new_full((1, 1, 1, 1), _STRENGTH_TO_COMPARE)))
        inner = latent[..., _BORDER:-_BORDER, _BORDER:-_BORDER]
        edges = [(torch.diff(inner, dim=dim).abs() > _EDGE).sum() for dim in (-1, -2)]
        return torch.stack(edges).sum()

    return count(turned) / count([kernel] * len(turned)).clamp_min(1)


class _Level:
    """State of the search at one size of the photo.

    Args:
        grey: The photo.
        scale: Share of its sides.
        blur: In pixels of this size.
        prior: What a sharp image looks like.
    """

    def __init__(self, grey: Grey, scale: float, blur: PoseBlur, prior: LatentPrior) -> None:
        self.blur, self._prior = blur, prior
        self._patches = _cut(_scaled(grey, scale), scale)
        # What is centred again and again may turn a little farther.
        reach = PoseKernels(self._patches.places, 1.2 * blur.angles, blur.shifts.shape[-1]).box
        self._step = LatentStep(self._patches.images, reach, prior, _FINAL_PENALTY)

    def run_round(self, strength: float) -> None:
        """Latent images, then the light of the poses."""
        step, size, shifts = self._step, self._step.frame.size, self.blur.shifts
        kernels = PoseKernels(self._patches.places, self.blur.angles, shifts.shape[-1])
        blur = kernel_spectrum(kernels.kernels(shifts), size)
        latent = step.sharpen(blur, shifts.new_full((1, 1, 1, 1), strength))
        edges = step.certain_edges(latent, [_EDGE_SHARE])
        found = _fit(normal_equations(edges, step.blurry, kernels.box, size), kernels, shifts)
        strong = torch.where(found < _FAINTEST * found.amax(), 0.0, found)
        total = float(strong.sum())
        if total > 0:
            self.blur = PoseBlur(strong / total, self.blur.angles).centred()

    def compare_edges(self, kernel: Float[Tensor, "1 1 k k"]) -> float:
        """See the function of this name; the kernel is in pixels of this level."""
        return float(_compare(self._patches, kernel, self.blur, self._prior))


def _fit(equations: NormalEquations, kernels: PoseKernels, start: Tensor) -> Tensor:
    """The light of all poses that is not negative and solves the equations of all patches together, nearly."""

    def slope(shifts: Tensor) -> Tensor:
        return kernels.adjoint(kernels.correlate(equations.operator, shifts) - equations.wanted)

    rate = 1 / max(kernels.curvature(equations.operator), 1e-9)
    return AcceleratedDescent(slope, lambda light: light.clamp_min(0), start, rate, _DESCENT_STEPS).run()


def _angles(step: float, corner: float, like: Tensor) -> Float[Tensor, " t"]:
    """Turns to both sides that move the corners, so many pixels from the middle, by a step more each."""
    count = math.ceil(_MOST_WAY / step)
    return torch.arange(-count, count + 1, dtype=like.dtype, device=like.device) * (step / corner)


def _kernel_at(kernel: Float[Tensor, "1 1 k k"], scale: float) -> Float[Tensor, "1 1 n n"]:
    return resize_kernel(kernel, _odd(kernel.shape[-1] * scale))


def _odd(side: float) -> int:
    return max(5, round(side) // 2 * 2 + 1)


def _resized(blur: PoseBlur, side: float) -> PoseBlur:
    """The same blur in boxes of another size; its turns are the same at any size."""
    odd = _odd(side)
    if odd == blur.shifts.shape[-1]:
        return blur
    light = blur.shifts.sum((1, 2, 3), keepdim=True)
    shapes = torch.where(light > 0, blur.shifts, 1.0)
    return PoseBlur(light * resize_kernel(shapes, odd), blur.angles)


def _scaled(grey: Grey, scale: float) -> Float[Tensor, "1 1 sh sw"]:
    if scale == 1:
        return grey
    size = tuple(max(1, round(side * scale)) for side in grey.shape[-2:])
    return F.interpolate(grey, size=size, mode="bilinear", antialias=True, align_corners=False)


def _cut(photo: Grey, share: float) -> _Patches:
    """The most informative patch of each part of the photo."""
    height, width = photo.shape[-2:]
    short, long = _CELLS
    rows, columns = (short, long) if height <= width else (long, short)
    side = min(round(_PATCH * max(share, _LEAST_SHARE)), height, width)
    images: list[Tensor] = []
    places: list[Place] = []
    for top, bottom in _parts(height, rows, side):
        for left, right in _parts(width, columns, side):
            part = photo[..., top:bottom, left:right]
            down, across, _, _ = find_informative(part, side * side, side)
            y, x = top + min(down, part.shape[-2] - side), left + min(across, part.shape[-1] - side)
            images.append(photo[..., y : y + side, x : x + side])
            places.append(Place(x + side / 2 - width / 2, y + side / 2 - height / 2))
    return _Patches(torch.cat(images), places)


def _parts(length: int, count: int, least: int) -> list[tuple[int, int]]:
    """Begin and end of equal parts, each made long enough for a patch; fewer where so many would be the same."""
    count = max(1, min(count, round(1.5 * length / least)))
    parts: list[tuple[int, int]] = []
    for number in range(count):
        middle = (number + 0.5) * length / count
        half = max(length / count, least) / 2
        begin = min(max(0, round(middle - half)), length - least)
        parts.append((begin, min(length, max(begin + least, round(middle + half)))))
    return parts
