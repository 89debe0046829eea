"""The kernels that `auto` chooses among: searched, fitted to what was searched, read off cepstrum or streaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jaxtyping import Float
from torch import Tensor

from unblur.blur.kernels import fit_box, trim_box
from unblur.images.tensors import srgb_to_linear
from unblur.methods.base import StepHook, steps_of_part
from unblur.methods.kernel_search.cepstrum import log_spectrum, propose_disks, propose_lines
from unblur.methods.kernel_search.families import fit_disk, fit_gaussians, fit_line
from unblur.methods.kernel_search.pyramid import LARGE_HYPOTHESES, PAGE_HYPOTHESES
from unblur.methods.kernel_search.search import Candidate, Finding, Origin, find_kernel
from unblur.methods.kernel_search.settings import SearchSettings
from unblur.methods.kernel_search.streaks import propose_streaks
from unblur.methods.options import BlurEncoding, RestoreOptions
from unblur.methods.region import crop_informative, crop_region
from unblur.methods.transforms import Encode
from unblur.solvers.priors import TwoTones

__all__ = ["find_candidates", "find_large_candidates", "looks_like_page", "read_off"]

_LARGE_BOX = 75
"""A kernel that is larger than the first box is found as a blob within it, which nothing makes grow."""
_EVEN = 0.2
"""Spread over mean of the brightness of paper, below which a photo looks like a page: all 16 synthetic pages do,
and a tenth of the photos of BSDS500."""
_LINES = 3
_FITTED = 2
_SPECTRUM_PIXELS = 600_000
"""The spectrum is that of no more than about so many pixels."""

Grey = Float[Tensor, "1 1 h w"]


def find_candidates(
    grey: Grey, encoding: BlurEncoding, options: RestoreOptions, settings: SearchSettings, on_step: StepHook
) -> Finding:
    """What the search finds, and the lines, disks, Gaussians and streaks that the photo or those kernels speak for.

    Args:
        grey: Brightness, sRGB-encoded, in [0, 1].
        encoding: Where the blur is taken to have happened.
        options: Region and kernel size are heeded.
        settings: Of the search.
        on_step: Progress and cancel.
    """
    region = crop_region(grey, options.region)
    is_page = looks_like_page(region)
    count = 2 if is_page else 1
    hook = steps_of_part(on_step, 0, count)
    finding = find_kernel(grey, settings, options, hook, encoding=encoding, doubts=False)
    if not finding.candidates:
        return finding
    proposed = (*_fitted(finding.candidates), *read_off(region, encoding))
    if is_page:
        hook = steps_of_part(on_step, 1, count)
        proposed += _under_two_tones(grey, encoding, options, settings, hook)
    return replace(finding, candidates=(*finding.candidates, *proposed))


def looks_like_page(grey: Grey) -> bool:
    """Whether the brightest spots of a photo have one brightness everywhere, as paper does, and much of a sky.

    Args:
        grey: Brightness, sRGB-encoded, in [0, 1].
    """
    _, paper = TwoTones().tones(srgb_to_linear(grey))
    return float(paper.std(correction=0)) < _EVEN * float(paper.mean())


def _under_two_tones(
    grey: Grey, encoding: BlurEncoding, options: RestoreOptions, settings: SearchSettings, on_step: StepHook
) -> tuple[Candidate, ...]:
    """What is searched where every pixel is taken for ink or paper."""
    two_tones = replace(settings, prior="two-tones")
    return find_kernel(
        grey, two_tones, options, on_step, encoding=encoding, hypotheses=PAGE_HYPOTHESES, doubts=False
    ).candidates


def find_large_candidates(
    grey: Grey, encoding: BlurEncoding, options: RestoreOptions, settings: SearchSettings, on_step: StepHook
) -> Finding:
    """What a search finds that begins with a large box; arguments as for `find_candidates`."""
    large = replace(settings, first_box=_LARGE_BOX)
    return find_kernel(grey, large, options, on_step, encoding=encoding, hypotheses=LARGE_HYPOTHESES, doubts=False)


def _fitted(candidates: Sequence[Candidate]) -> Iterator[Candidate]:
    """Lines in place of the best kernels that are slender, a disk and Gaussians in place of the best if it is round."""
    best = sorted(candidates, key=lambda candidate: candidate.score)[:_FITTED]
    for one in best:
        line = fit_line(one.kernel)
        if line is not None:
            yield _proposal(line, one.encoding, "line")
    for one in best[:1]:
        disk = fit_disk(one.kernel)
        if disk is not None:
            yield _proposal(disk, one.encoding, "disk")
        for gaussian in fit_gaussians(one.kernel):
            yield _proposal(gaussian, one.encoding, "gaussian")


def read_off(grey: Grey, encoding: BlurEncoding) -> Iterator[Candidate]:
    """Straight motions and disks read off the cepstrum, and streaks of lamps; arguments as for `find_candidates`."""
    part = crop_informative(grey, _SPECTRUM_PIXELS, 0)
    spectrum = log_spectrum(Encode(encoding).forward(part))
    for line in propose_lines(spectrum, _LINES):
        yield _proposal(line, encoding, "line")
    for disk in propose_disks(spectrum):
        yield _proposal(disk, encoding, "disk")
    if encoding == "linear":  # where the light of a lamp adds up
        for streak in propose_streaks(grey):
            yield _proposal(streak, encoding, "streak")


def _proposal(kernel: Tensor, encoding: BlurEncoding, origin: Origin) -> Candidate:
    return Candidate(trim_box(fit_box(kernel, max(3, kernel.shape[-1]))), encoding, origin)
