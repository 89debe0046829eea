"""Whether the camera turned while it shook: the photo is explained under one kernel and under turns, by its edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from jaxtyping import Float
from torch import Tensor

from unblur.blur.poses import PoseBlur
from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.methods.auto.judge import GainPrediction
from unblur.methods.base import Step, StepHook, ignore_step
from unblur.methods.kernel_search.search import Candidate, Origin
from unblur.methods.kernel_search.turning import compare_edges, search_turn
from unblur.methods.transforms import Encode
from unblur.solvers.photo import compression_noise, estimate_noise
from unblur.solvers.priors import PRIORS

__all__ = ["Turned", "find_turn"]

_SMALLEST = 200
"""Sides of photos below which a turn moves hardly anything."""
_SHAKEN: tuple[Origin, ...] = ("search", "second-pass", "line")
"""Origins of kernels of a camera that turned: it draws no disk, but what is seen of its way may look straight."""
_NOISIEST = 0.01
"""Noise of sensor and file together from which a turn is not looked for: it is as large as the edges that are counted.
121 photos and mosaics of BSDS500 of the usual noise and JPEG quality have 0.008 and less, strong noise and JPEG of
quality 30 have 0.0135 and more, nearly always."""
_FEWER, _SURELY_FEWER = 1.0, 0.98
"""Edges under the turn over those under one kernel: below the first the turn is the better answer, below the second it
may be taken even where the one kernel may not. Of 121 photos and mosaics of BSDS500 whose camera turned 65 are
below the first, and gain 1.4 dB more by the turn, one of them 1.0 less; 44 are below the second, where one turn loses
1.0. So are 3 and 2 of 25 under other blur and without strong noise, one of which gains 1.8 less than by one kernel. The
thresholds were chosen on these."""
_GAIN, _GAIN_OF_FEWER, _MOST_FEWER, _SPREAD = 0.8, 27.0, 0.08, 1.2
"""What a turn gains, dB: so much, and the second for the share of edges that are spared, up to the third; and the
standard deviation of that."""

Grey = Float[Tensor, "1 1 h w"]


@dataclass(frozen=True)
class Turned:
    """A blur that explains the photo better than one kernel does.

    Attributes:
        blur: In pixels of the photo.
        prediction: Its gain.
        is_sure: It may be removed even where the one kernel may not.
        jpeg_coarseness: Of the photo, see `estimate_jpeg_coarseness`; its parts do not tell it.
    """

    blur: PoseBlur
    prediction: GainPrediction
    is_sure: bool
    jpeg_coarseness: float


def find_turn(grey: Grey, best: Candidate, on_step: StepHook = ignore_step) -> Turned | None:
    """The blur of a camera that turned; None: one kernel explains the photo as well.

    Args:
        grey: Brightness, sRGB-encoded, in [0, 1].
        best: The kernel that was found for the photo.
        on_step: Progress and cancel.
    """
    if min(grey.shape[-2:]) < _SMALLEST or best.origin not in _SHAKEN or _noise_of(grey) > _NOISIEST:
        return None
    photo, prior = Encode(best.encoding).forward(grey), PRIORS["l0"]
    blur = search_turn(photo, best.kernel, prior, partial(_report, on_step))
    if blur is None:
        return None
    edges = float(compare_edges(photo, best.kernel, blur, prior))
    if edges >= _FEWER:
        return None
    gain = _GAIN + _GAIN_OF_FEWER * min(1 - edges, _MOST_FEWER)
    return Turned(blur, GainPrediction(gain, _SPREAD), edges < _SURELY_FEWER, estimate_jpeg_coarseness(grey))


def _noise_of(grey: Grey) -> float:
    return math.hypot(estimate_noise(grey), compression_noise(estimate_jpeg_coarseness(grey)))


def _report(on_step: StepHook, share: float) -> None:
    on_step(Step(share, "looking for a turn of the camera"))
