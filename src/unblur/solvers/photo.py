"""A photo and its kernel in, the sharp photo out: encoding, noise, saturation, colour and size are dealt with here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.convolve import convolve
from unblur.errors import UsageError
from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.images.large import Image, LargePhoto, StripImage, apply, brightness_of, thin
from unblur.images.tensors import brightness, linear_to_srgb, srgb_to_linear
from unblur.images.tiling import run_in_smaller_tiles, run_tiled, strips_tiled
from unblur.solvers.differences import Images
from unblur.solvers.names import DEFAULT_SOLVER
from unblur.solvers.registry import SOLVERS, Deconvolve, PhotoNoise
from unblur.solvers.sparse_gradients import to_opponents

__all__ = ["choose_encoding", "compression_noise", "estimate_noise", "restore_large_with_kernel", "restore_with_kernel"]

_SATURATION = 0.995
"""From here up a pixel may have been clipped: the two highest values of 8 bit."""
_WHOLE = 1536
_TILE = 768
"""Photos with no side above the first are taken whole, others in tiles."""
_HALO_KERNELS = 4
_LARGEST_HALO = 256
"""Tiles overlap by so many kernel sizes on each side, large kernels by at least half as many. What rings at a border
fades with every kernel size, but slowly: see docs/map.md for what is left."""
_COMPRESSION_NOISE = 0.01
"""Noise that a JPEG at quality 50 counts as; others by the square root of their rounding steps. Chosen on crops of
BSDS500 with their true kernels."""
_ENCODING_SAMPLE = 384
"""Side in pixels of the part of the photo on which the encoding is decided."""

Kernel = Float[Tensor, "1 1 kh kw"]
Kernels = Float[Tensor, "n 1 kh kw"]
AnswerT = TypeVar("AnswerT")


def restore_with_kernel(
    blurry: Images,
    kernel: Kernels,
    *,
    encoding: Literal["encoded", "linear"],
    solver: str = DEFAULT_SOLVER,
    smoothness: float = 1.0,
    jpeg_coarseness: float | None = None,
    known: Float[Tensor, "m 1 h w"] | None = None,
    quick: bool = False,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Tensor:
    """The sharp photo, sRGB-encoded, of the same shape; values may leave [0, 1].

    With a kernel for each photo, these are photos of one scene, and the answer is the one sharp photo.

    Args:
        blurry: sRGB-encoded, in [0, 1].
        kernel: Sum 1, odd sizes: one for all photos, or one for each photo of one scene.
        encoding: Where the blur took place, and where it is removed.
        solver: A name of `SOLVERS`.
        smoothness: 1 suits the noise of the photo; higher is smoother.
        jpeg_coarseness: See `estimate_jpeg_coarseness`, for a part of a photo that may begin anywhere; None: estimated.
        known: 1 where the photo counts, 0 where something lies over it, and `blurry` is a smooth continuation; None:
            all of it counts.
        quick: Whether a rough answer will do where light was clipped, such as for comparing kernels.
        on_progress: Called with the share that is done; raises to stop.

    Raises:
        UsageError: Several kernels, and a solver that takes one photo only.
    """
    if len(kernel) > 1 and not SOLVERS[solver].joins_photos:
        joining = ", ".join(name for name, one in SOLVERS.items() if one.joins_photos)
        raise UsageError(
            f"the solver {solver} takes one photo, and here are several of one scene; use one of {joining}"
        )
    working = srgb_to_linear(blurry) if encoding == "linear" else blurry
    if jpeg_coarseness is None:
        jpeg_coarseness = max(estimate_jpeg_coarseness(brightness(photo)) for photo in blurry.split(1))
    smoothing = _Smoothing(solver, smoothness, compression_noise(jpeg_coarseness), quick)
    deconvolution = _Deconvolution(working, kernel, smoothing, on_progress, known)
    restored = deconvolution.run(run_tiled)
    return linear_to_srgb(restored.clamp(0, 1)) if encoding == "linear" else restored


def restore_large_with_kernel(
    blurry: LargePhoto,
    kernel: Kernel,
    *,
    encoding: Literal["encoded", "linear"],
    solver: str = DEFAULT_SOLVER,
    smoothness: float = 1.0,
    quick: bool = False,
    on_progress: Callable[[float], None] = lambda _: None,
) -> StripImage:
    """As `restore_with_kernel`, for a photo that is read in parts; it is restored while the answer's strips are taken.

    Args:
        blurry: sRGB-encoded, in [0, 1].
        kernel: See there, as for all that follows.
        encoding: See there.
        solver: See there.
        smoothness: See there.
        quick: See there.
        on_progress: See there.
    """
    working = blurry.mapped(srgb_to_linear) if encoding == "linear" else blurry
    coarseness = estimate_jpeg_coarseness(brightness_of(blurry))
    smoothing = _Smoothing(solver, smoothness, compression_noise(coarseness), quick)
    deconvolution = _Deconvolution(working, kernel, smoothing, on_progress)
    answer = StripImage(blurry.shape, lambda: deconvolution.run(_begun_strips))
    return answer.mapped(lambda strip: linear_to_srgb(strip.clamp(0, 1))) if encoding == "linear" else answer


def _begun_strips(*given: Any, **named: Any) -> Iterator[Tensor]:
    """`strips_tiled` with the first strip computed: where memory is short, it is short there."""
    strips = strips_tiled(*given, **named)
    return thin(_resumed(next(strips), strips))


def _resumed(first: Tensor, others: Iterator[Tensor]) -> Iterator[Tensor]:
    yield first
    del first  # which `itertools.chain` would hold to the end
    yield from others


def compression_noise(jpeg_coarseness: float) -> float:
    """What the rounding of a JPEG counts as; `estimate_noise` sees nothing of it, for it leaves the pixels smooth.

    Args:
        jpeg_coarseness: See `estimate_jpeg_coarseness`.

    Returns:
        Standard deviation of noise that is removed with the same care.
    """
    return _COMPRESSION_NOISE * jpeg_coarseness**0.5


def choose_encoding(blurry: Image, kernel: Kernel) -> Literal["encoded", "linear"]:
    """The encoding in which this kernel explains the photo better.

    The photo is deconvolved and blurred again in either encoding; what differs from it is compared as the eye sees it,
    sRGB-encoded. Looks at the middle of the photo.
    """
    top, left = (max(0, (side - _ENCODING_SAMPLE) // 2) for side in blurry.shape[-2:])
    part = blurry[..., top : top + _ENCODING_SAMPLE, left : left + _ENCODING_SAMPLE].mean(1, keepdim=True)
    linear = srgb_to_linear(part)
    misfit = _misfit(part, _reblur(part, kernel), kernel)
    misfit_linear = _misfit(part, linear_to_srgb(_reblur(linear, kernel)), kernel)
    return "linear" if misfit_linear < misfit else "encoded"


def _reblur(blurry: Tensor, kernel: Tensor) -> Tensor:
    smoothing = _Smoothing(DEFAULT_SOLVER, 1.0, quick=True)
    run = _prepare([estimate_noise(blurry)], kernel, smoothing, is_clipped=any(_clipped(blurry)))
    return convolve(run(blurry).clamp(0, 1), kernel, "replicate")


def _misfit(blurry: Tensor, reblurred: Tensor, kernel: Tensor) -> float:
    reach = [side // 2 for side in kernel.shape[-2:]]
    margins = [min(r, (side - 1) // 2) for r, side in zip(reach, blurry.shape[-2:], strict=True)]
    difference = (reblurred - blurry)[
        ..., margins[0] : blurry.shape[-2] - margins[0], margins[1] : blurry.shape[-1] - margins[1]
    ]
    return float(difference.square().mean())


def estimate_noise(blurry: Image) -> float:
    """Standard deviation of the noise, at least that of rounding to 8 bit.

    Blur leaves nothing of the highest frequencies, so what is there is noise: Immerkaer (CVIU 1996) with the median
    instead of the mean, against edges.
    """
    rounding = 1 / (255 * 12**0.5)
    height, width = blurry.shape[-2:]
    if min(height, width) < 3:
        return rounding
    # A million values tell the noise of a photo of any size.
    every = max(1, round(height * width / 1e6))
    above, middle, below = (blurry[..., row : height - 2 + row : every, :] for row in range(3))
    # Twelve times as fast as a convolution, which is slow with one channel.
    down = above + below - 2 * middle
    rough = down[..., :-2] + down[..., 2:] - 2 * down[..., 1:-1]
    return max(float(rough.abs().median()) / 6 / 0.6745, rounding)


class _Smoothing(NamedTuple):
    """Solver, smoothness that is asked for, noise that the photo's compression counts as, and care."""

    solver: str
    smoothness: float
    compression: float = 0.0
    quick: bool = False


class _Deconvolution:
    """Deconvolves a photo in tiles, which a large one is cut into, each with what is known of it.

    Args:
        blurry: In the encoding of the blur.
        kernel: See `restore_with_kernel`.
        smoothing: What suits the photo.
        on_progress: See there.
        known: See there.
    """

    def __init__(
        self,
        blurry: Image,
        kernel: Tensor,
        smoothing: _Smoothing,
        on_progress: Callable[[float], None],
        known: Tensor | None = None,
    ) -> None:
        self._colours, self._has_known = blurry.shape[1], known is not None
        self._on_progress, self._share = on_progress, 0.0
        side = max(kernel.shape[-2:])
        self._halo = max(_HALO_KERNELS // 2 * side, min(_HALO_KERNELS * side, _LARGEST_HALO))
        self._restorer = _Restorer.of(blurry, kernel, smoothing)
        self._masked = blurry
        if known is not None and isinstance(blurry, Tensor):
            self._masked = torch.cat([blurry, known.expand(len(blurry), -1, -1, -1)], 1)

    def run(self, run_tiles: Callable[..., AnswerT]) -> AnswerT:
        """What `run_tiled`, or a function with its arguments, makes of the tiles."""
        longest = max(self._masked.shape[-2:])

        def run_with(tile: int) -> AnswerT:
            # One tile is computed in this thread, where its steps can be reported, several in others.
            restore = partial(self._restore, is_alone=longest <= tile)
            report = _ignore if longest <= tile else self._report
            return run_tiles(self._masked, restore, tile, self._halo, report, on_step=self._report_again)

        return run_in_smaller_tiles(run_with, min(_WHOLE if longest <= _WHOLE else _TILE, longest))

    def _restore(self, part: Tensor, on_step: Callable[[], None], *, is_alone: bool) -> Tensor:
        known = part[:, self._colours :] if self._has_known else None

        def on_share(share: float) -> None:
            if is_alone:
                self._share = share
            on_step()

        return self._restorer.restore(part[:, : self._colours], known, on_share)

    def _report(self, done: int, count: int) -> None:
        self._share = done / count
        self._report_again()

    def _report_again(self) -> None:
        """Whoever listens may want to stop at any step."""
        self._on_progress(self._share)


def _ignore(done: int, count: int) -> None:
    pass


@dataclass(frozen=True)
class _Restorer:
    """Restores the colours of a photo or of a part of it.

    Attributes:
        solvers: One for each colour by itself, or one for all of them together.
    """

    solvers: Sequence[Deconvolve]

    @classmethod
    def of(cls, blurry: Image, kernel: Tensor, smoothing: _Smoothing) -> _Restorer:
        """Solvers with the numbers that suit this photo."""
        colours = blurry.shape[1]
        if colours == 3 and SOLVERS[smoothing.solver].joins_colours:
            noises = [estimate_noise(apply(blurry, partial(_mixture, number=number), 1)) for number in range(colours)]
            return cls([_prepare(noises, kernel, smoothing, is_clipped=any(_clipped(blurry)))])
        planes = (apply(blurry, partial(_plane, number=number), 1) for number in range(colours))
        return cls(
            [
                _prepare([estimate_noise(plane)], kernel, smoothing, is_clipped=is_clipped)
                for plane, is_clipped in zip(planes, _clipped(blurry), strict=True)
            ]
        )

    def restore(self, blurry: Tensor, known: Tensor | None, on_share: Callable[[float], None]) -> Tensor:
        """The image.

        The photos are the channels of one image for a solver, and its batch is their colours.
        """
        known = known if known is None else known.transpose(0, 1)
        parts = blurry.transpose(0, 1).split(blurry.shape[1] // len(self.solvers))
        restored: list[Tensor] = []
        for solver, part in zip(self.solvers, parts, strict=True):
            done, count = len(restored), len(self.solvers)

            def on_part(share: float, done: int = done, count: int = count) -> None:
                on_share((done + share) / count)

            restored.append(solver(part, known=known, on_share=on_part))
            on_share((done + 1) / count)
        return torch.cat(restored).transpose(0, 1)


def _mixture(image: Tensor, number: int) -> Tensor:
    """The mean of the colours (0), which stays in [0, 1], or one of their differences."""
    mixed = to_opponents(image.transpose(0, 1))[number][:, None]
    return mixed if number else mixed / 3**0.5


def _plane(image: Tensor, number: int) -> Tensor:
    return image[:, number : number + 1]


def _clipped(image: Image) -> list[bool]:
    """Whether each channel has values that may have been clipped."""
    parts = [image] if isinstance(image, Tensor) else image.strips()
    highest = torch.stack([part.amax((0, 2, 3)) for part in parts]).amax(0)
    return (highest >= _SATURATION).tolist()


def _prepare(noises: Sequence[float], kernel: Tensor, smoothing: _Smoothing, *, is_clipped: bool) -> Deconvolve:
    """The solver with the numbers that suit the noise of one colour, or of the mean and both differences of three."""
    sigma, *others = (math.hypot(noise, smoothing.compression) for noise in noises)
    noise = PhotoNoise(
        sigma, _SATURATION if is_clipped else None, smoothing.quick, (others[0], others[1]) if others else None
    )
    return SOLVERS[smoothing.solver].prepare(noise, kernel.transpose(0, 1), smoothing.smoothness)
