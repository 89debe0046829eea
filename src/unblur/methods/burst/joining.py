"""Which photos of a burst show one scene, how they lie on each other, and the kernel of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from unblur.blur.kernels import centre_kernel, fit_box, offset_of_mass, trim_box
from unblur.images.tensors import brightness
from unblur.methods.burst.alignment import (
    STILL,
    Shift,
    common_area,
    cut,
    estimate_exposure,
    estimate_shift,
    match_exposure,
)
from unblur.methods.burst.kernels import estimate_latent, fit_burst_kernels, fit_each_kernel
from unblur.methods.kernel_search.answer_quality import judge
from unblur.methods.options import BlurEncoding
from unblur.methods.region import find_informative
from unblur.methods.transforms import Encode
from unblur.solvers.photo import estimate_noise

__all__ = ["Member", "is_blurred", "join_photos", "used_of"]

_PIXELS = 240_000
"""Kernels are fitted to no more than about so many pixels, the most informative part that all photos hold."""
_MISALIGNED = 30
"""Pixels by which the shifts of photos that are blurred differently may be wrong at first."""
_SMALLEST_BOX = 31
_ROOM = 6
"""Least side of the kernels' box, and what it has more than the largest kernel."""
_CLEAR = 0.15
"""Share of a kernel's peak below which a first fit to a rough image is noise."""
_DARKEST, _BRIGHTEST = 1 / 4, 4.0
_UNEXPLAINED = 0.7
"""Share of a photo's gradient power that the burst may leave unexplained. In synthetic bursts of BSDS500, photos of the
scene stay below 0.5 and another scene is above 0.85."""
_POINT = 0.75
"""Share of the kernel of a sharp photo within two by two pixels, at least: 0.83 to 1 in seven bursts of BSDS500,
0.79 and less in four where it was blurred slightly."""
_OTHER_SCENE = "it does not show the same scene, or was blurred differently from place to place"

Photo = Float[Tensor, "1 c h w"]


@dataclass(frozen=True)
class Member:
    """One photo of a burst.

    Attributes:
        photo: sRGB-encoded, as it was taken.
        shift: Of its content, against the photo that the search began with.
        exposure: How many times as much light as that one it got.
        kernel: `(1, 1, k, k)` in a box that is the same for all; None: it is left out.
        unexplained: Share of its gradient power that the sharp image and the kernel do not explain.
        border: So many rows and columns at each of its sides are not looked at.
        fault: Why it is left out, a sentence without its subject; empty: it is not.
    """

    photo: Tensor
    shift: Shift = STILL
    exposure: float = 1.0
    kernel: Tensor | None = None
    unexplained: float = 0.0
    border: tuple[int, int] = (0, 0)
    fault: str = ""

    def facts(self) -> dict[str, Any]:
        """What the report says of it."""
        return {
            "used": not self.fault,
            "shift": list(self.shift),
            "exposure": round(self.exposure, 3),
            "kernel_size": None if self.kernel is None else trim_box(self.kernel).shape[-1],
            "unexplained": round(self.unexplained, 3),
            **({"reason": self.fault} if self.fault else {}),
        }


def join_photos(
    photos: Sequence[Photo],
    start: int,
    kernel: Float[Tensor, "1 1 k k"],
    encoding: BlurEncoding,
    on_share: Callable[[float], None] = lambda _: None,
    *,
    border: tuple[int, int] = (0, 0),
) -> list[Member]:
    """All photos with what was found of them; those that do not fit have a fault.

    Args:
        photos: sRGB-encoded, of one size.
        start: Number of the photo whose answer the search begins with.
        kernel: Of that photo.
        encoding: Where the blur took place.
        on_share: Called with the share that is done; raises to stop.
        border: So many rows and columns at each side of a photo are not what it shows, see `turned_border`.
    """
    members = [replace(_place(photo, photos[start]), border=border) for photo in photos]
    members[start] = replace(members[start], kernel=kernel, fault="")
    members = _take_in(members, start, encoding)
    while len(used := used_of(members)) > 1:
        members = _take_in(_fit(members, start, encoding, on_share), start, encoding)
        if used_of(members) == used:
            break
    return members


def used_of(members: Sequence[Member]) -> list[int]:
    """Numbers of the photos that are not left out, from 0."""
    return [number for number, member in enumerate(members) if not member.fault]


def is_blurred(member: Member) -> bool:
    """Whether the others show that a photo, sharp as it may look, is blurred: its kernel is more than a point."""
    if member.kernel is None:
        return False
    return float(avg_pool2d(member.kernel, 2, 1).max()) * 4 < _POINT


def _place(photo: Photo, reference: Photo) -> Member:
    """A photo roughly aligned with another one, with its exposure; left out as long as it is not explained."""
    shift = estimate_shift(photo, reference)
    exposure = estimate_exposure(photo, reference, shift)
    if not _DARKEST <= exposure <= _BRIGHTEST:
        return Member(photo, shift, exposure, fault=f"it got {exposure:.2g} times the light of the others")
    return Member(photo, shift, exposure, fault=_OTHER_SCENE)


def _take_in(members: list[Member], start: int, encoding: BlurEncoding) -> list[Member]:
    """Those that were left out tried against the image of those that are used, and aligned where that explains them.

    What has sharper edges than the burst, such as a photo of something else, must not become that image.
    """
    used = used_of(members)
    others = [number for number, one in enumerate(members) if one.fault == _OTHER_SCENE]
    if not others:
        return members
    known = [one.kernel for one in members if one.kernel is not None]
    side = known[0].shape[-1] + 2 * _MISALIGNED
    parts = _common_parts(members, [*used, *others], start, side)
    observed = Encode(encoding).forward(parts)
    kernels = torch.cat([fit_box(one, side) for one in known])
    latent = estimate_latent(observed[: len(used)], kernels, estimate_noise(observed[: len(used)]))
    begin = fit_box(known[used.index(start)], side).expand(len(others), -1, -1, -1)
    found = fit_each_kernel(observed[len(used) :], latent, begin, _CLEAR).split(1)
    taken = list(members)
    for number, part, kernel in zip(others, parts[len(used) :].split(1), found, strict=True):
        unexplained = judge(part, kernel, Encode(encoding).backward(latent), encoding).unexplained
        shift = members[number].shift.plus(offset_of_mass(kernel)).against(offset_of_mass(begin[:1]))
        taken[number] = replace(members[number], unexplained=unexplained)
        if unexplained <= _UNEXPLAINED:
            exposure = estimate_exposure(members[number].photo, members[start].photo, shift)
            box = trim_box(centre_kernel(kernel))
            taken[number] = replace(taken[number], shift=shift, exposure=exposure, kernel=box, fault="")
    return taken


def _fit(members: list[Member], start: int, encoding: BlurEncoding, on_share: Callable[[float], None]) -> list[Member]:
    """The photos that are used with kernels that go together; those that are not explained by them are left out."""
    used = used_of(members)
    known = [one.kernel for one in members if one.kernel is not None]
    side = max(_SMALLEST_BOX, *(one.shape[-1] for one in known)) + _ROOM
    parts = _common_parts(members, used, start, side)
    observed = Encode(encoding).forward(parts)
    noise = estimate_noise(observed)
    own = used.index(start)
    begin = fit_box(known[own], side)
    latent = estimate_latent(observed[own : own + 1], begin, noise)
    kernels = fit_burst_kernels(observed, latent, begin.expand(len(used), -1, -1, -1), on_share)
    shown = Encode(encoding).backward(estimate_latent(observed, kernels, noise))
    fitted = list(members)
    for number, part, kernel in zip(used, parts.split(1), kernels.split(1), strict=True):
        unexplained = judge(part, kernel, shown, encoding).unexplained
        fits = unexplained <= _UNEXPLAINED or number == start
        fitted[number] = replace(
            members[number],
            kernel=kernel if fits else None,
            unexplained=unexplained,
            fault="" if fits else _OTHER_SCENE,
        )
    return fitted


def _common_parts(members: Sequence[Member], numbers: Sequence[int], start: int, box: int) -> Float[Tensor, "n 1 h w"]:
    """Brightness of these photos where all of them show what is most informative, sRGB-encoded.

    Args:
        members: All photos.
        numbers: Of those that are meant.
        start: Number of the one that decides what is informative, which is among them.
        box: Side of kernels for which the part has to be large enough.
    """
    meant = [members[number] for number in numbers]
    down, right = meant[0].border
    rows, columns = common_area([one.shift for one in meant], (meant[0].photo.shape[-2], meant[0].photo.shape[-1]))
    area = slice(rows.start + down, rows.stop - down), slice(columns.start + right, columns.stop - right)
    shared = torch.cat([brightness(match_exposure(cut(one.photo, area, one.shift), one.exposure)) for one in meant])
    own = list(numbers).index(start)
    top, left, height, width = find_informative(shared[own : own + 1], _PIXELS, 2 * box)
    return shared[..., top : top + height, left : left + width]
