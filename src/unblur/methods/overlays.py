"""Sharp things that were laid over a blurred photo: bars, frames, stamps, captions, parts of an app's window.

They were never before the lens, so no kernel explains them. Flat borders are found by their one colour and the
straight edge at which they end; letters and signs by edges that are sharper than any edge of the photo around them,
run in more than one direction, and belong to one or two even colours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Bool, Float
from torch import Tensor

from unblur.images.jpeg_traces import estimate_jpeg_coarseness
from unblur.images.labels import label_parts
from unblur.images.neighbourhoods import largest_along, largest_around
from unblur.images.tensors import brightness, fill_unknown
from unblur.methods.options import Region, RestoreOptions
from unblur.methods.part import Part

__all__ = ["Overlay", "find_inner_frame", "find_laid_over", "find_overlay", "without_overlay"]

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
    height, width = photo.shape[-2:]
    frame = find_inner_frame(photo)
    if min(frame.width, frame.height) < _FEWEST:
        frame = Region(0, 0, width, height)
    inner = Part(frame, torch.ones_like(photo[:, :1]))
    covered = find_laid_over(inner.cut(photo))
    share = float(covered.float().mean())
    if share > _MOST_COVERED:
        covered, share = torch.zeros_like(covered), 0.0
    if frame == (0, 0, width, height) and share == 0:
        return None
    part = Part(frame, (~covered).to(photo))
    described = f"borders around {frame.width}x{frame.height} pixels, letters or signs on {share:.1%} of these"
    return Overlay(part, _without(covered, part.cut(photo), part, options), described)


def without_overlay(photo: Photo) -> Float[Tensor, "1 c ih iw"]:
    """The photo inside its borders, with a smooth continuation in the place of what is laid over it."""
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


def find_inner_frame(photo: Photo) -> Region:
    """The photo without its flat borders: bars, a frame, the plain parts of a window; all of it where there are none.

    Args:
        photo: In [0, 1], sRGB-encoded.
    """
    height, width = photo.shape[-2:]
    top, bottom, left, right = 0, height, 0, width
    for _ in range(2):  # a frame's sides show their even colour only where its top and bottom are taken off
        rows = photo[..., top:bottom, left:right]
        top, bottom = top + _border(rows, height), bottom - _border(rows.flip(-2), height)
        columns = photo[..., top:bottom, left:right].transpose(-2, -1)
        left, right = left + _border(columns, width), right - _border(columns.flip(-2), width)
    return Region(left, top, right - left, bottom - top)


def _border(photo: Tensor, whole: int) -> int:
    """Rows of one colour at the top, up to the straight edge at which they end; 0: there are none."""
    most = min(int(_THICKEST * whole), photo.shape[-2] - 2)
    if most < _THINNEST or photo.shape[-1] < 2 * _CELL:
        return 0
    colour = photo[..., :_THINNEST, :].flatten(-2).median(-1).values[..., None, None]
    even = ((photo[..., : most + 2, :] - colour).abs().amax(1) <= _SAME).float().mean(-1)[0]
    if float(even[0]) < _EVEN_EDGE:
        return 0
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


def find_laid_over(photo: Photo) -> Mask:
    """Where letters and signs are laid over a blurred photo, without borders; all false where there are none.

    Args:
        photo: In [0, 1], sRGB-encoded.
    """
    covered = torch.zeros_like(photo[:, :1], dtype=torch.bool)
    if min(photo.shape[-2:]) <= 2 * _CELL:
        return covered
    right, down = _crispness(photo, -1), _crispness(photo, -2)
    steps = (right > 0) | (down > 0)
    cells = F.max_pool2d(F.max_pool2d(steps.float(), _CELL, ceil_mode=True), 3, 1, 1) > 0
    labels = label_parts(cells)
    numbers, sizes = labels.unique(return_counts=True)
    for number, size in zip(numbers.tolist(), sizes.tolist(), strict=True):
        if number and size <= _LARGEST * labels.numel():
            rows, columns, inside = _extent(labels == number, (photo.shape[-2], photo.shape[-1]))
            part = (..., rows, columns)
            thing = _Thing(photo[part], right[part] * inside, down[part] * inside)
            if thing.is_drawn():
                covered[part] |= thing.cover()
    return covered


def widen(mask: Mask, pixels: int) -> Mask:
    """The mask with all pixels that are at most so many away."""
    return largest_around(mask.float(), 2 * pixels + 1) > 0


def _crispness(photo: Photo, dim: int) -> Float[Tensor, "1 1 h w"]:
    """Share of the step from a pixel to the next one in all that changes around it; 0 where it is not abrupt."""
    if dim == -2:
        return _crispness(photo.transpose(-2, -1), -1).transpose(-2, -1)
    step = F.pad(torch.diff(photo, dim=-1).abs(), (0, 1))
    padded = F.pad(photo, (_REACH, _REACH + 1, 0, 0), mode="replicate")
    window = 2 * _REACH + 2
    change = largest_along(padded, window, -1) + largest_along(-padded, window, -1)
    share = step / change.clamp_min(1e-6)
    least = (_ABOVE_NOISE * _local_noise(step)).clamp_min(_STEP)
    return torch.where((share >= _ABRUPT) & (step >= least), share, 0.0).amax(1, keepdim=True)


def _local_noise(step: Tensor) -> Tensor:
    """Standard deviation of the noise of steps around each pixel: dark parts of a photo have far more than others.

    From the smaller ones of the steps in each cell, those between the edges.
    """
    height, width = step.shape[-2:]
    padded = F.pad(step, (0, -width % _CELL, 0, -height % _CELL), mode="replicate")
    cells = padded.unfold(-2, _CELL, _CELL).unfold(-2, _CELL, _CELL).flatten(-2)
    quantile = cells.kthvalue(max(1, round(_QUIET * _CELL**2)), -1).values / _QUIET_SIGMA
    return quantile.repeat_interleave(_CELL, -2).repeat_interleave(_CELL, -1)[..., :height, :width]


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
