"""Sharp things that were laid over a blurred photo: bars, frames, stamps, captions, parts of an app's window.

They were never before the lens, so no kernel explains them. Flat borders are found by their one colour and the
straight edge at which they end; letters and signs by edges that are sharper than any edge of the photo around them,
run in more than one direction, and belong to one or two even colours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Bool, Float
from torch import Tensor

from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.images.labels import label_parts
from unblur.images.large import LARGE, Image, LargePhoto
from unblur.images.neighbourhoods import largest_around
from unblur.images.tensors import brightness, fill_unknown
from unblur.methods.options import Region, RestoreOptions
from unblur.methods.part import Part

__all__ = [
    "Overlay",
    "find_frame_alone",
    "find_inner_frame",
    "find_laid_over",
    "find_overlay",
    "without_overlay",
]

_SAME = 0.06
_BIN = 1 / 15
"""Largest difference of a channel between pixels of one drawn colour, after JPEG compression; and the bins in which the
most frequent colours are counted."""
_EVEN_EDGE, _EVEN_INSIDE = 0.93, 0.5
"""Share of a border's line in its colour: of the outermost and innermost line, and of those between, which may hold
letters."""
_DROP = 0.25
"""By how much this share falls where the border ends."""
_BACKGROUND = 0.5
"""Share of a border's colour in what lies behind its end, from which it is the background there, as on text pages."""
_THINNEST = 3
_THICKEST = 0.45
"""Of a border: pixels, and share of the photo's side."""

_REACH = 3
"""Pixels on either side of a step within which a drawn edge is over; blur of more pixels spreads its edges beyond."""
_STEP = 0.15
_ABRUPT = 0.55
"""Least height of a step, and least share of it in all that changes within the reach."""
_CRISP = 0.755
"""Mean of this share over the steps of one thing; edges of slightly blurred photos just exceed the least share."""
_LEAST_STEPS = 120
_LEAST_ACROSS = 0.2
"""Steps of one thing, and share of the weaker direction in them: straight motion leaves edges sharp in one
direction."""
_LARGEST = 0.25
"""Share of the photo that one thing covers; what is sharp beyond that is the photo itself."""
_ABOVE_NOISE = 6.0
_QUIET, _QUIET_SIGMA = 0.3, 0.385
"""Least height of a step over the noise there, estimated from this share of the steps in a cell: so many of them
are below this share of the standard deviation, if they are normally distributed."""
_CELL = 8
"""Side in pixels of the cells that abrupt steps are gathered in."""
_OUTLINE = 0.7
_EXPLAINED = 0.5
"""Share of the outline of a colour that is abrupt, and share of the steps that such colours begin or end at."""
_MIXED = 1
_CLOSE = 3
_DISTURBED = 3
"""Pixels around drawn colours that are mixed with them; pixels between steps that are taken for drawn where colours say
nothing; and pixels around all of these that a JPEG may have disturbed."""

_FEWEST = 32
"""Sides in pixels of a photo inside a frame, below which the frame is taken for a part of it."""
_MOST_COVERED = 0.5
_AT_ONCE = 1_000_000
"""Pixels that are looked at together."""

Photo = Float[Tensor, "1 c h w"]
Mask = Bool[Tensor, "1 1 h w"]


@dataclass(frozen=True)
class Overlay:
    """What lies over a photo.

    Attributes:
        part: The photo inside flat borders, without what is laid over it.
        options: Options for that part, whose mask leaves out what is laid over it and what a JPEG disturbed around it.
        description: For reports.
    """

    part: Part
    options: RestoreOptions
    description: str


def find_overlay(photo: Photo, options: RestoreOptions) -> Overlay | None:
    """Borders and drawn things of a photo; None: there are none.

    Args:
        photo: In [0, 1], sRGB-encoded.
        options: What the caller asks for the photo.
    """
    frame = _frame_of(photo)
    inner = Part(frame, torch.ones_like(photo[:, :1]))
    covered = find_laid_over(inner.cut(photo))
    share = float(covered.float().mean())
    if share > _MOST_COVERED:
        covered, share = torch.zeros_like(covered), 0.0
    if frame == (0, 0, photo.shape[-1], photo.shape[-2]) and share == 0:
        return None
    part = Part(frame, (~covered).to(photo))
    return Overlay(part, _without(covered, part.cut(photo), part, options), _describe(frame, share))


def find_frame_alone(photo: LargePhoto) -> tuple[Region, str] | None:
    """What is inside the borders of a large photo, and for reports; None: something else is laid over it, too."""
    frame = _frame_of(photo)
    covered = find_laid_over(photo.part(frame))
    if 0 < int(covered.sum()) <= _MOST_COVERED * covered.numel():
        return None
    return frame, _describe(frame, 0.0)


def _frame_of(photo: Image) -> Region:
    """The photo inside its borders, unless hardly anything is."""
    frame = find_inner_frame(photo)
    return frame if min(frame.width, frame.height) >= _FEWEST else Region(0, 0, photo.shape[-1], photo.shape[-2])


def _describe(frame: Region, share: float) -> str:
    return f"borders around {frame.width}x{frame.height} pixels, letters or signs on {share:.1%} of these"


def without_overlay(photo: Image) -> Image:
    """The photo `(1, C, H, W)` inside its borders, with a smooth continuation in the place of what is laid over it.

    A large photo is returned with what is laid over it: see `find_frame_alone`.
    """
    if isinstance(photo, LargePhoto):
        return photo.part(_frame_of(photo))
    overlay = find_overlay(photo, RestoreOptions())
    if overlay is None:
        return photo
    inner = overlay.part.cut(photo)
    return inner if overlay.options.mask is None else fill_unknown(inner, overlay.options.mask)


def _without(covered: Mask, photo: Photo, part: Part, options: RestoreOptions) -> RestoreOptions:
    """The options for the part, with a mask that leaves out what is covered."""
    mask = None if options.mask is None else options.mask[part.rows, part.columns]
    if covered.any():
        was_jpeg = estimate_jpeg_coarseness(brightness(photo)) > 0
        seen = ~(widen(covered, _DISTURBED) if was_jpeg else covered)[0, 0].cpu().numpy()
        mask = seen if mask is None or not (mask & seen).any() else mask & seen
    region = options.region and options.region.overlap(part.box)
    return replace(options, mask=mask, region=region)


def find_inner_frame(photo: Image) -> Region:
    """The photo without its flat borders: bars, a frame, the plain parts of a window; all of it where there are none.

    Args:
        photo: `(1, C, H, W)` in [0, 1], sRGB-encoded.
    """
    height, width = photo.shape[-2:]
    box = _Box(0, height, 0, width)
    for _ in range(2):  # a frame's sides show their even colour only where its top and bottom are taken off
        above, below = (_border(_Lines(photo, box, side), height) for side in ("top", "bottom"))
        box = box._replace(top=box.top + above, bottom=box.bottom - below)
        before, after = (_border(_Lines(photo, box, side), width) for side in ("left", "right"))
        box = box._replace(left=box.left + before, right=box.right - after)
    return Region(box.left, box.top, box.right - box.left, box.bottom - box.top)


class _Box(NamedTuple):
    """A part of the photo."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True)
class _Lines:
    """The rows or columns of a part of the photo, counted from one of its sides inwards.

    Attributes:
        photo: The photo.
        box: The part.
        side: `"top" | "bottom" | "left" | "right"`.
    """

    photo: Image
    box: _Box
    side: str

    @property
    def size(self) -> tuple[int, int]:
        """How many lines there are, and their length."""
        rows, columns = self.box.bottom - self.box.top, self.box.right - self.box.left
        return (rows, columns) if self.side in ("top", "bottom") else (columns, rows)

    def read(self, first: int, last: int) -> Float[Tensor, "1 c lines length"]:
        """Some of the lines, as rows."""
        top, bottom, left, right = self.box
        if self.side == "top":
            return self.photo[..., top + first : top + last, left:right]
        if self.side == "bottom":
            return self.photo[..., bottom - last : bottom - first, left:right].flip(-2)
        if self.side == "left":
            return self.photo[..., top:bottom, left + first : left + last].transpose(-2, -1)
        return self.photo[..., top:bottom, right - last : right - first].flip(-1).transpose(-2, -1)

    def shares(self, colour: Float[Tensor, "1 c 1 1"], count: int) -> Float[Tensor, " count"]:
        """How much of each of the first lines has that colour."""
        at_once = max(1, _AT_ONCE // self.size[1])
        parts = (self.read(first, min(first + at_once, count)) for first in range(0, count, at_once))
        return torch.cat([((part - colour).abs().amax(1) <= _SAME).float().mean(-1)[0] for part in parts])


def _border(lines: _Lines, whole: int) -> int:
    """Lines of one colour, up to the straight edge at which they end; 0: there are none."""
    count, length = lines.size
    most = min(int(_THICKEST * whole), count - 2)
    if most < _THINNEST or length < 2 * _CELL:
        return 0
    colour = lines.read(0, _THINNEST).flatten(-2).median(-1).values[..., None, None]
    if float(lines.shares(colour, 1)) < _EVEN_EDGE:
        return 0
    even = lines.shares(colour, most + 2)
    ends = (even < _EVEN_INSIDE).nonzero()
    # The border ends where most of a line has left its colour, but not all at once where the photo holds it, too.
    drops = (even[:-2] - even[2:] > _DROP) & (even[:-2] >= _EVEN_EDGE)
    last = int(ends[0]) if len(ends) else most
    places = drops[:last].nonzero()
    if not len(places):
        return 0
    edge = int(places[-1]) + 1
    # The line between may be mixed of both.
    edge += int(even[edge] >= _EVEN_INSIDE) if edge < most else 0
    is_background = float(even[edge:].mean()) > _BACKGROUND
    return 0 if edge < _THINNEST or is_background else edge


def find_laid_over(photo: Image) -> Mask:
    """Where letters and signs are laid over a blurred photo, without borders; all false where there are none.

    Args:
        photo: `(1, C, H, W)` in [0, 1], sRGB-encoded.
    """
    height, width = photo.shape[-2:]
    covered = torch.zeros((1, 1, height, width), dtype=torch.bool, device=photo.device)
    if min(height, width) <= 2 * _CELL:
        return covered
    steps = _count_steps(photo)
    labels = label_parts(F.max_pool2d((steps > 0).float(), 3, 1, 1) > 0)
    sizes = labels.flatten().bincount()
    totals = labels.flatten().bincount(steps.flatten())
    # Few steps are nothing that was drawn; of the others, there are not many.
    enough = (totals >= _LEAST_STEPS) & (sizes <= _LARGEST * labels.numel())
    enough[0] = False
    for number in enough.nonzero().flatten().tolist():
        rows, columns, inside = _extent(labels == number, (height, width))
        if inside.numel() > LARGE and height * width > LARGE:
            continue  # what is sharp over so much of a large photo is the photo itself
        right, down = _crispness_in(photo, rows, columns)
        thing = _Thing(photo[..., rows, columns], right * inside, down * inside)
        if thing.is_drawn():
            covered[..., rows, columns] |= thing.cover()
    return covered


def _count_steps(photo: Image) -> Float[Tensor, "1 1 ch cw"]:
    """How many abrupt steps each cell holds, to the right and down."""
    height, width = photo.shape[-2:]
    at_once = max(1, _AT_ONCE // width // _CELL) * _CELL
    counts: list[Tensor] = []
    for top in range(0, height, at_once):
        both = _crispness_in(photo, slice(top, min(top + at_once, height)), slice(0, width))
        steps = torch.stack([one > 0 for one in both]).sum(0).float()
        counts.append(F.avg_pool2d(steps, _CELL, ceil_mode=True, divisor_override=1))
    return torch.cat(counts, 2)


def _crispness_in(photo: Image, rows: slice, columns: slice) -> tuple[Tensor, Tensor]:
    """`_crispness` to the right and down in a part of the photo that begins with a cell."""
    top, left = max(0, rows.start - _CELL), max(0, columns.start - _CELL)
    part = photo[..., top : rows.stop + _CELL, left : columns.stop + _CELL]
    inner = (..., slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    return _crispness(part, -1)[inner], _crispness(part, -2)[inner]


def widen(mask: Mask, pixels: int) -> Mask:
    """The mask with all pixels that are at most so many away."""
    return largest_around(mask.float(), 2 * pixels + 1) > 0


def _crispness(photo: Photo, dim: int) -> Float[Tensor, "1 1 h w"]:
    """Share of the step from a pixel to the next one in all that changes around it; 0 where it is not abrupt."""
    if dim == -2:
        return _crispness(photo.transpose(-2, -1), -1).transpose(-2, -1)
    step = F.pad(torch.diff(photo, dim=-1).abs(), (0, 1))
    share = torch.zeros_like(step)
    places = torch.where(step >= _STEP)  # few, and of a blurred photo hardly any: all else is looked at there alone
    padded = F.pad(photo, (_REACH, _REACH + 1, 0, 0), mode="replicate")
    around = padded.unfold(-1, 2 * _REACH + 2, 1)[places]
    steps = step[places]
    shares = steps / (around.amax(-1) - around.amin(-1)).clamp_min(1e-6)
    is_abrupt = (shares >= _ABRUPT) & (steps >= _ABOVE_NOISE * _local_noise(step, places))
    share[places] = torch.where(is_abrupt, shares, 0.0)
    return share.amax(1, keepdim=True)


def _local_noise(step: Tensor, places: tuple[Tensor, ...]) -> Float[Tensor, " n"]:
    """Standard deviation of the noise of steps around some places: dark parts of a photo have far more than others.

    From the smaller ones of the steps in each cell, those between the edges.
    """
    height, width = step.shape[-2:]
    padded = F.pad(step, (0, -width % _CELL, 0, -height % _CELL), mode="replicate")
    cells = padded.unfold(-2, _CELL, _CELL).unfold(-2, _CELL, _CELL)
    batch, channels, rows, columns = places
    at = torch.stack((batch, channels, rows // _CELL, columns // _CELL))
    sizes = cells.shape[:4]
    numbers, of_place = _number(at, sizes).unique(return_inverse=True)
    those = cells[_places(numbers, sizes)].flatten(-2)
    quantiles = those.kthvalue(max(1, round(_QUIET * _CELL**2)), -1).values
    return quantiles[of_place] / _QUIET_SIGMA


def _number(places: Tensor, sizes: torch.Size) -> Tensor:
    """Places `(4, n)` in an array of four sizes, each as one number."""
    first, second, third, fourth = places
    return ((first * sizes[1] + second) * sizes[2] + third) * sizes[3] + fourth


def _places(numbers: Tensor, sizes: torch.Size) -> tuple[Tensor, ...]:
    """Undoes `_number`. So does `torch.unravel_index`, whose first call imports sympy and takes a second."""
    places: list[Tensor] = []
    for size in reversed(sizes):
        places.append(numbers % size)
        numbers = numbers // size
    return tuple(reversed(places))


def _extent(cells: Mask, size: tuple[int, int]) -> tuple[slice, slice, Bool[Tensor, "1 1 ph pw"]]:
    """Rows and columns of the pixels that hold some cells, and which pixels there are in them."""
    rows, columns = (
        slice(int(places[0]) * _CELL, min((int(places[-1]) + 1) * _CELL, side))
        for places, side in zip((cells[0, 0].any(dim).nonzero().flatten() for dim in (1, 0)), size, strict=True)
    )
    inside = cells.repeat_interleave(_CELL, -2).repeat_interleave(_CELL, -1)
    return rows, columns, inside[..., rows, columns]


@dataclass(frozen=True)
class _Thing:
    """A part of the photo with abrupt steps close to one another.

    Attributes:
        photo: The part.
        right: See `_crispness`: of the steps to the right.
        down: Of the steps down.
    """

    photo: Photo
    right: Float[Tensor, "1 1 h w"]
    down: Float[Tensor, "1 1 h w"]

    @property
    def steps(self) -> Mask:
        """Where there is a step."""
        return (self.right > 0) | (self.down > 0)

    def is_drawn(self) -> bool:
        """Whether the steps are those of something that was laid over."""
        shares = torch.cat([one[one > 0] for one in (self.right, self.down)])
        return len(shares) >= _LEAST_STEPS and float(shares.mean()) >= _CRISP and self._across() >= _LEAST_ACROSS

    def _across(self) -> float:
        """Share of the weaker of two perpendicular directions in the steps: 0 where all run in parallel."""
        grey = self.photo.mean(1, keepdim=True)
        right = F.pad(torch.diff(grey, dim=-1), (0, 1)) * self.steps
        down = F.pad(torch.diff(grey, dim=-2), (0, 0, 0, 1)) * self.steps
        xx, yy, xy = (float(one.sum()) for one in (right * right, down * down, right * down))
        return (xx + yy - ((xx - yy) ** 2 + 4 * xy**2) ** 0.5) / max(2 * (xx + yy), 1e-9)

    def cover(self) -> Mask:
        """The pixels that are drawn: those of the drawn colours, or where there are many, those between the steps."""
        beside = self.steps | _next(self.right > 0, -1) | _next(self.down > 0, -2)
        drawn, right, down = torch.zeros_like(beside), self.right > 0, self.down > 0
        for colour in self._colours(beside):
            same = (self.photo - colour).abs().amax(1, keepdim=True) <= _SAME
            rim = same & widen(~same, 1)
            if float((rim & widen(self.steps, 1)).sum()) >= _OUTLINE * float(rim.sum()):
                drawn = drawn | same
                right, down = right & ~same & ~_previous(same, -1), down & ~same & ~_previous(same, -2)
        left = float(right.sum() + down.sum())
        if left <= (1 - _EXPLAINED) * float((self.right > 0).sum() + (self.down > 0).sum()):
            return widen(drawn, _MIXED)
        return _without_holes(drawn | ~widen(~widen(beside, _CLOSE), _CLOSE - 1))

    def _colours(self, beside: Mask) -> Iterator[Float[Tensor, "1 c 1 1"]]:
        """The two most frequent colours beside the steps."""
        pixels = self.photo[0][:, beside[0, 0]].T
        for _ in range(2):
            if len(pixels) == 0:
                return
            bins, counts = (pixels / _BIN).round().unique(dim=0, return_counts=True)
            near = (pixels - bins[counts.argmax()] * _BIN).abs().amax(1) <= _BIN
            colour = pixels[near].median(0).values
            yield colour.view(1, -1, 1, 1)
            pixels = pixels[(pixels - colour).abs().amax(1) > 2 * _SAME]


def _without_holes(mask: Mask) -> Mask:
    """The mask with all that it encloses."""
    open_parts = label_parts(F.pad(~mask, (1, 1, 1, 1), value=True))
    outside = open_parts == open_parts[..., :1, :1]
    return ~outside[..., 1:-1, 1:-1]


def _next(mask: Mask, dim: int) -> Mask:
    """The mask moved on by a pixel."""
    return F.pad(mask, (1, 0, 0, 0) if dim == -1 else (0, 0, 1, 0)).narrow(dim, 0, mask.shape[dim])


def _previous(mask: Mask, dim: int) -> Mask:
    """The mask moved back by a pixel."""
    return F.pad(mask, (0, 1, 0, 0) if dim == -1 else (0, 0, 0, 1)).narrow(dim, 1, mask.shape[dim])
