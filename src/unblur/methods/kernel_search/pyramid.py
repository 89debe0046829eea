"""Coarse to fine: the kernel grows from two pixels to its full size, latent image and kernel in alternation."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import count
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.blur.fft import kernel_spectrum
from unblur.blur.kernels import fit_box
from unblur.methods.kernel_search.kernel_step import RIDGE, fit_kernel, resize_kernel, tidy_kernel
from unblur.methods.kernel_search.latent_step import LatentStep
from unblur.methods.region import InformativeParts
from unblur.solvers.priors import LatentPrior
from unblur.system.threads import run_side_by_side

__all__ = [
    "HYPOTHESES",
    "LARGE_HYPOTHESES",
    "PAGE_HYPOTHESES",
    "SECOND_PASS",
    "SECOND_PASS_ROUNDS",
    "SPREAD_HYPOTHESES",
    "SPREAD_SECOND_PASSES",
    "Descent",
    "Hypothesis",
    "KernelSearch",
    "Level",
    "LevelKernel",
    "RoundHook",
    "estimate_kernels",
    "plan_levels",
]

_COARSEST_BOX = 5
_LAST_LEVELS = 3
"""The levels that a kernel goes through that is roughly known."""
_WEAKEST = 1e-4
_WEAKENING = 1.1
"""The prior's strength is divided by this after every round, down to the weakest."""

Grey = Float[Tensor, "1 1 h w"]
Kernels = Float[Tensor, "b 1 kh kw"]


@dataclass(frozen=True)
class Descent:
    """The schedule from the coarsest level to the photo.

    Attributes:
        ratio: Ratio of the sides of one level to those of the next finer one.
        final_penalty: The splitting penalty rises up to this in each round. Beyond 25 the latent image hardly
            changes: its gradients are those that the prior wants.
    """

    ratio: float
    final_penalty: float


_STEEP = Descent(ratio=0.5**0.5, final_penalty=25.0)
_GENTLE = Descent(ratio=0.8, final_penalty=25.0)
_LONGER = Descent(ratio=0.8, final_penalty=50.0)


@dataclass(frozen=True)
class Hypothesis:
    """One choice of numbers for the search; which is best differs from photo to photo.

    Attributes:
        descent: Its pyramid.
        prior_strength: Multiplier of the prior at the start; it falls from round to round.
        edge_share: Share of the latent image's gradients, the strongest, that the kernel is fitted to.
        faintest: Kernel values below this share of the largest become zero.
        whitening: Variance of the noise over that of the details that the latent image lacks. The misfit of those
            details is blurred by the kernel, so frequencies that the kernel removes are measured more precisely and
            weigh more: generalised least squares. None: every frequency weighs the same.
        whitens_levels: How many of the finest levels are whitened; with a rough kernel it does harm.
        box_share: Side of the kernel's box over the one that is asked for. A small blur is found more surely in a small
            box, and how large a blur is nobody has said.
        ridge: Multiplier of the ridge of the kernel step. The search does not leave kernels with a bright middle, which
            are partly no blur at all; a large ridge spreads the light of all kernels.
        last_ridge: That of the last round, to which it falls by a constant factor from round to round; None: it stays.
        number: In reports.
    """

    descent: Descent
    prior_strength: float
    edge_share: float = 1.0
    faintest: float = 0.05
    whitening: float | None = None
    whitens_levels: int = 1
    box_share: float = 1.0
    ridge: float = RIDGE
    last_ridge: float | None = None
    number: int = field(default=0, compare=False)


HYPOTHESES = (
    Hypothesis(_STEEP, 8e-3, edge_share=0.2, faintest=0.07, whitening=0.03, number=0),
    Hypothesis(_LONGER, 8e-3, edge_share=0.2, faintest=0.07, whitening=0.03, number=3),
    Hypothesis(_STEEP, 8e-3, edge_share=0.2, faintest=0.07, whitening=0.03, box_share=0.75, number=2),
    Hypothesis(_GENTLE, 4e-3, edge_share=0.2, whitening=0.03, number=1),
)
"""Chosen on synthetic photos, so that they fail on different ones; before a second pass, and chosen among by the score,
the first two are as good as all four, see docs/map.md."""
LARGE_HYPOTHESES = (HYPOTHESES[0], replace(HYPOTHESES[0], faintest=0.03, number=4))
"""For kernels of more than 31 pixels, whose light is spread so thinly that parts of it count as faint. On ten photos of
BSDS500 train, enlarged, under shake within 31 to 75 pixels, the better of both gains 6.4 dB, the first alone 5.0."""
PAGE_HYPOTHESES = tuple(replace(one, number=6 + one.number) for one in HYPOTHESES)
"""For pages of text, under the prior of two tones. On eight synthetic pages under shake of 9 to 17 pixels the best of
them gains 3.3 dB, the best under the usual prior 2.6, and the best of both after a second pass 4.9."""
SECOND_PASS = Hypothesis(_STEEP, 2e-3, edge_share=0.2, whitening=0.03, number=5)
SECOND_PASS_ROUNDS = 8
"""For kernels that were found: a weaker prior lets the latent image have the details that the strong one removed."""
SPREAD_HYPOTHESES = tuple(replace(one, ridge=160.0, faintest=0.01, number=10 + one.number) for one in HYPOTHESES)
_SPREAD = replace(SECOND_PASS, ridge=160.0, last_ridge=RIDGE)
SPREAD_SECOND_PASSES = (_SPREAD, replace(_SPREAD, faintest=0.02))
"""Beside the usual hypotheses, and for the kernels of both. Where kernels of the usual search are partly no blur, these
are not; on the others they are as good, see docs/map.md. 60 to 640 in place of 160 do as well. Of a kernel whose light
is spread thinly the usual share of what counts as faint takes parts away, of others a smaller one leaves noise, so both
are tried; a third pass with 0.01 is no better."""


@dataclass(frozen=True)
class Level:
    """One level of the pyramid: size of the whole photo there, and side of the kernel's box."""

    photo: tuple[int, int]
    box: int


class LevelKernel(NamedTuple):
    """What a search found on one level.

    Attributes:
        problem: What it searched.
        kernel: Of its first hypothesis, in pixels of the photo at the size of the level.
        scale: Share of the photo's sides there.
    """

    problem: KernelSearch
    kernel: Float[Tensor, "1 1 k k"]
    scale: float


RoundHook = Callable[[int, int, "LevelKernel | None"], None]
"""Called with rounds done, rounds in all, and what a level that was just left has found; raises to stop."""


def plan_levels(photo: tuple[int, int], box: int, ratio: float) -> list[Level]:
    """Levels from coarse to fine; at the last one the photo has its own size and the kernel the box `box`."""
    count = max(1, math.floor(math.log(_COARSEST_BOX / box) / math.log(ratio)) + 1)
    scales = [ratio**level for level in reversed(range(count))]
    return [
        Level((max(1, round(photo[0] * s)), max(1, round(photo[1] * s))), max(3, round(box * s) // 2 * 2 + 1))
        for s in scales
    ]


@dataclass(frozen=True, eq=False)  # each is itself alone, whatever its photo
class KernelSearch:
    """One search: a kernel is estimated for each hypothesis.

    Attributes:
        grey: The photo, or the part of it that may be looked at, in [0, 1].
        box: Odd side of the kernels.
        hypotheses: Choices of numbers; each gives one kernel.
        start: A kernel `(1, 1, k, k)` that is known already, but roughly: only the finest levels are gone through.
    """

    grey: Grey
    box: int
    hypotheses: Sequence[Hypothesis]
    start: Kernels | None = None

    @cached_property
    def parts(self) -> InformativeParts:
        """Those of the photo."""
        return InformativeParts(self.grey)


def estimate_kernels(
    problems: Sequence[KernelSearch],
    prior: LatentPrior,
    *,
    rounds: int,
    pixels: int,
    on_round: RoundHook,
) -> list[Kernels]:
    """The kernels of each problem; what goes through the same levels goes in one batch, all batches side by side.

    Args:
        problems: Photos, boxes and hypotheses.
        prior: What a sharp image looks like.
        rounds: Rounds on each level.
        pixels: Largest number of pixels used on each level: its most informative region.
        on_round: Progress and stop.
    """
    searches = _batches_of(problems, prior)
    total = sum(len(search.levels) for search in searches) * rounds
    done = count(1)
    left: deque[LevelKernel] = deque()  # filled in the threads of the searches, emptied in the caller's
    jobs = [partial(search.run, rounds, pixels, left.append) for search in searches]
    found = run_side_by_side(jobs, lambda: on_round(next(done), total, left.popleft() if left else None))
    kernels = {
        row: kernel
        for search, own in zip(searches, found, strict=True)
        for row, kernel in zip(search.rows, own.split(1), strict=True)
    }
    return [
        torch.cat([fit_box(kernels[_Row(problem, one)], problem.box) for one in problem.hypotheses])
        for problem in problems
    ]


class _Row(NamedTuple):
    """One kernel of a batch: a hypothesis on the photo of a problem."""

    problem: KernelSearch
    hypothesis: Hypothesis


def _batches_of(problems: Sequence[KernelSearch], prior: LatentPrior) -> list[_Search]:
    """Searches that go through the same levels are one, such as those of a photo in both encodings.

    On the small images of the coarse levels, calling an operation takes longer than carrying it out. What leaves them
    out is by itself, and so are two hypotheses on one photo, so that each has a thread of its own.
    """
    batches: dict[Hashable, list[_Row]] = {}
    for problem in problems:
        alone = None if problem.start is None else problem
        before = Counter[Hashable]()
        for one in problem.hypotheses:
            levels = one.descent, one.box_share, problem.box, problem.grey.shape
            batches.setdefault((*levels, before[levels], alone), []).append(_Row(problem, one))
            before[levels] += 1
    searches = [_Search(rows, prior) for rows in batches.values()]
    # The longest first: then no thread has much left when the others are done.
    return sorted(searches, key=lambda search: len(search.levels) * len(search.rows), reverse=True)


def _odd(side: float) -> int:
    return max(3, round(side) // 2 * 2 + 1)


def _look(problem: KernelSearch, level: Level, pixels: int) -> Tensor:
    """The photo at the size of the level, or its most informative part; cut out before it is shrunk."""
    scale = level.photo[0] / problem.grey.shape[-2]
    part = problem.parts.crop(round(pixels / scale**2), math.ceil(2 * level.box / scale))
    if level.photo == tuple(problem.grey.shape[-2:]):
        return part
    size = tuple(max(1, round(side * scale)) for side in part.shape[-2:])
    # Averaging whole blocks first makes the first levels of a large photo cheap.
    block = int(0.5 / scale)
    part = F.avg_pool2d(part, block) if block > 1 else part
    return F.interpolate(part, size=size, mode="bilinear", antialias=True, align_corners=False)


class _Search:
    """State of the search for several kernels at once: the kernels, prior strengths, and the level's spectra.

    Args:
        rows: What is searched; the same descent, box and size of photo in all.
        prior: What a sharp image looks like.
    """

    def __init__(self, rows: Sequence[_Row], prior: LatentPrior) -> None:
        problem, first = rows[0]
        grey = problem.grey

        def column(values: list[float]) -> Tensor:
            return torch.tensor(values, dtype=grey.dtype, device=grey.device).view(-1, 1, 1, 1)

        self.rows = rows
        box = _odd(problem.box * first.box_share)
        self.levels = plan_levels((grey.shape[-2], grey.shape[-1]), box, first.descent.ratio)
        self.kernel = _two_pixels(grey).expand(len(rows), -1, -1, -1)
        self._final_penalty = first.descent.final_penalty
        self._prior = prior
        self._strength = column([h.prior_strength for _, h in rows])
        self._faintest = column([h.faintest for _, h in rows])
        self._ridge = column([h.ridge for _, h in rows])
        self._last_ridge = column([h.last_ridge or h.ridge for _, h in rows])
        if problem.start is not None:
            self._start_from(problem.start)

    def _start_from(self, kernel: Kernels) -> None:
        """Leave out the coarse levels; the side of `kernel` is that of its box on the finest level."""
        self.levels = self.levels[-_LAST_LEVELS:]
        side = _odd(kernel.shape[-1] * self.levels[0].photo[0] / self.levels[-1].photo[0])
        self.kernel = fit_box(resize_kernel(kernel, side), self.levels[0].box).expand(len(self.rows), -1, -1, -1)

    def run(
        self, rounds: int, pixels: int, on_level: Callable[[LevelKernel], None], on_round: Callable[[], None]
    ) -> Kernels:
        """From the coarsest level to the finest; the kernels that were found."""
        fall = (self._last_ridge / self._ridge) ** (1 / max(1, rounds * len(self.levels) - 1))
        for number, level in enumerate(self.levels):
            self._enter(number, pixels)
            for done in range(1, rounds + 1):
                self._run_round()
                self._ridge = self._ridge * fall
                if done == rounds:
                    for found in self._first_kernels(level.photo[0] / self.levels[-1].photo[0]):
                        on_level(found)
                on_round()
        return self.kernel

    def _first_kernels(self, scale: float) -> list[LevelKernel]:
        """What the first hypothesis of each problem has found."""
        problems = [problem for problem, _ in self.rows]
        return [
            LevelKernel(problem, self.kernel[row : row + 1], scale)
            for row, problem in enumerate(problems)
            if all(problem is not before for before in problems[:row])
        ]

    def _enter(self, number: int, pixels: int) -> None:
        """Go to level `number` and take its most informative `pixels`."""
        level = self.levels[number]
        box, levels_left = level.box, len(self.levels) - number
        photo = torch.cat([_look(problem, level, pixels) for problem, _ in self.rows])
        if self.kernel.shape[-1] != box:
            self.kernel = resize_kernel(self.kernel, box)
        self._latent = LatentStep(photo, box, self._prior, self._final_penalty)
        self._whitening = [
            h.whitening if h.whitening and levels_left <= h.whitens_levels else None for _, h in self.rows
        ]

    def _run_round(self) -> None:
        """Latent image, then kernel, then a weaker prior."""
        step, size = self._latent, self._latent.frame.size
        blur = kernel_spectrum(self.kernel, size)
        edges = step.certain_edges(step.sharpen(blur, self._strength), [h.edge_share for _, h in self.rows])
        weights = step.weights(blur, self._whitening)
        found = fit_kernel(edges, step.blurry, self.kernel, size, weights, ridge=self._ridge)
        self.kernel = tidy_kernel(found, self.kernel, self._faintest)
        self._strength = (self._strength / _WEAKENING).clamp_min(_WEAKEST)


def _two_pixels(like: Tensor) -> Tensor:
    """The kernel to start with: not an impulse, which would be a fixed point."""
    kernel = torch.zeros(1, 1, 3, 3, dtype=like.dtype, device=like.device)
    kernel[..., 1, :2] = 0.5
    return kernel
