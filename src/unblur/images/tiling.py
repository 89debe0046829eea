"""Large images in tiles that overlap, each computed alone and blended into the whole.

Where two tiles meet, both reach over the border by half a ramp, and a linear ramp blends them, so that small
differences leave no seam. The halo is computed beyond that again and thrown away: no kept pixel lacks its surroundings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.errors import ShapeError
from unblur.images.large import Image
from unblur.system.memory import is_out_of_memory
from unblur.system.threads import run_side_by_side

__all__ = ["run_in_smaller_tiles", "run_tiled", "strips_tiled"]

OnStep = Callable[[], None]
TileFunction = Callable[[Tensor], Tensor] | Callable[[Tensor, OnStep], Tensor]
AnswerT = TypeVar("AnswerT")

_SMALLEST_TILE = 128
"""Smaller ones would be halo for the most part."""


class _Span(NamedTuple):
    """One tile along one axis: what it computes and how much of that it keeps."""

    start: int  # of the computed part, with halo
    stop: int
    keep_start: int  # of the part that it contributes to, with ramps
    keep_stop: int
    ramp_before: int  # pixels over which it is blended with its neighbour
    ramp_after: int


def run_tiled(
    image: Float[Tensor, "b c h w"],
    function: TileFunction,
    tile: int,
    halo: int,
    on_tile: Callable[[int, int], None] | None = None,
    *,
    multiple: int = 1,
    on_step: OnStep | None = None,
) -> Float[Tensor, "b2 c2 h w"]:
    """Apply a function tile by tile.

    Equal to `function(image)`, to rounding, for every function whose answer at a pixel depends on pixels no farther
    than `halo` and that treats the image's own borders alike.

    Args:
        image: Any size; one not larger than a tile is handed over whole.
        function: Returns as many rows and columns as it gets; of several photos it may make one.
        tile: Largest side of a tile in pixels without its halo, at least 1; tiles of one image are about equal.
        halo: Least number of pixels around a tile that are computed with it.
        on_tile: Called after each tile with how many are done and how many there are.
        multiple: Each computed part begins at a multiple of so many pixels, and ends at one or with the image.
        on_step: Where it is given, the function gets a second argument, to be called between its steps, and the tiles
            of an image on the CPU are computed on as many threads as torch may use, each with a tile's memory of its
            own. For every step, `on_step` is called in this thread; it raises to stop them all.

    Raises:
        ShapeError: The function changed height or width, or the tile has no size.
    """
    answer: Tensor | None = None
    top = 0
    for strip in strips_tiled(image, function, tile, halo, on_tile, multiple=multiple, on_step=on_step):
        if strip.shape[2] == image.shape[2]:
            return strip
        if answer is None:
            answer = strip.new_empty((*strip.shape[:2], *image.shape[2:]))
        answer[:, :, top : top + strip.shape[2]] = strip
        top += strip.shape[2]
    if answer is None:
        raise ShapeError("expected an image of at least one pixel")
    return answer


def strips_tiled(
    image: Image,
    function: TileFunction,
    tile: int,
    halo: int,
    on_tile: Callable[[int, int], None] | None = None,
    *,
    multiple: int = 1,
    on_step: OnStep | None = None,
) -> Iterator[Tensor]:
    """What `run_tiled` returns, strip by strip from the top: each as soon as no tile that follows reaches it.

    Raises:
        ShapeError: See `run_tiled`.
    """
    if tile < 1 or halo < 0:
        raise ShapeError(f"expected a tile of at least 1 and a halo of at least 0 pixels, got {tile} and {halo}")
    rows, columns = (_spans(size, tile, halo, multiple) for size in image.shape[2:])
    places = [(row, column) for row in rows for column in columns]
    parts = (image[:, :, row.start : row.stop, column.start : column.stop] for row, column in places)
    jobs = (partial(_compute, function, part, has_steps=on_step is not None) for part in parts)
    together = image.device.type == "cpu" and len(places) > 1
    # One after the other, always in the same order, so that rounding is the same too.
    tiles = run_side_by_side(jobs, on_step) if on_step and together else (job(on_step) for job in jobs)
    begun: Tensor | None = None
    for number, row in enumerate(rows):
        strip: Tensor | None = None
        for done, (column, restored) in enumerate(zip(columns, tiles, strict=False), start=1):
            if strip is None:
                strip = _continued(begun, restored, row.keep_stop - row.keep_start, image.shape[3])
            _add(strip, restored, row, column)
            if on_tile is not None:
                on_tile(number * len(columns) + done, len(places))
        if strip is not None:
            final = (rows[number + 1].keep_start if number + 1 < len(rows) else row.keep_stop) - row.keep_start
            yield strip[:, :, :final]
            begun = strip[:, :, final:].clone()


def _continued(begun: Tensor | None, like: Tensor, height: int, width: int) -> Tensor:
    """Rows of zeros, the first of which hold what the tiles above have added to them."""
    strip = like.new_zeros((*like.shape[:2], height, width))
    if begun is not None:
        strip[:, :, : begun.shape[2]] = begun
    return strip


def run_in_smaller_tiles(run: Callable[[int], AnswerT], tile: int) -> AnswerT:
    """The answer with the largest tile that memory is enough for: this one, or half of it, and so on.

    Args:
        run: Gives the answer for a side of tiles.
        tile: The first side that is tried.

    Raises:
        RuntimeError: What `run` raises, also where even the smallest tiles need more memory than there is.
        MemoryError: As above.
    """
    while True:
        try:
            return run(tile)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error) or tile // 2 < _SMALLEST_TILE:
                raise
        tile //= 2  # not in the handler: the error holds what was computed so far


def _compute(function: Callable[..., Tensor], part: Tensor, on_step: OnStep | None, *, has_steps: bool) -> Tensor:
    restored = function(part, on_step) if has_steps else function(part)
    if restored.shape[2:] != part.shape[2:]:
        raise ShapeError(f"a tile of {tuple(part.shape[2:])} came back as {tuple(restored.shape[2:])}")
    return restored


def _spans(size: int, tile: int, halo: int, multiple: int) -> list[_Span]:
    """Tiles along one axis. A ramp reaches equally far to both sides of a border, at most half a tile."""
    if size == 0:
        return []
    borders = _borders(size, tile, multiple)
    sides = [stop - start for start, stop in pairwise(borders)]
    ramps = [0, *(min(halo, left, right) // 2 for left, right in pairwise(sides)), 0]
    spans: list[_Span] = []
    for (start, stop), (before, after) in zip(pairwise(borders), pairwise(ramps), strict=True):
        first, last = max(0, start - before - halo), stop + after + halo
        spans.append(
            _Span(
                first - first % multiple,
                min(size, last + -last % multiple),
                start - before,
                stop + after,
                before,
                after,
            )
        )
    return spans


def _borders(size: int, tile: int, multiple: int) -> list[int]:
    """Where tiles meet: as few tiles as possible, about equal, and begun at multiples where these are smaller."""
    side = math.ceil(size / math.ceil(size / tile))
    rounded = side + -side % multiple
    return [*range(0, size, rounded if rounded <= tile else side), size]


def _add(strip: Tensor, restored: Tensor, row: _Span, column: _Span) -> None:
    """Add a tile's contribution, faded at its borders, to the rows that it reaches."""
    part = restored[:, :, row.keep_start - row.start : row.keep_stop - row.start, column.keep_start - column.start :][
        ..., : column.keep_stop - column.keep_start
    ]
    weight = _weights(row, part)[:, None] * _weights(column, part)[None, :]
    strip[..., column.keep_start : column.keep_stop] += part * weight


def _weights(span: _Span, like: Tensor) -> Tensor:
    """1 inside, falling linearly over both ramps; neighbours' weights sum to 1."""
    weights = torch.ones(span.keep_stop - span.keep_start, dtype=like.dtype, device=like.device)
    for width, reverse in ((span.ramp_before, False), (span.ramp_after, True)):
        if width:
            ramp = (torch.arange(2 * width, dtype=like.dtype, device=like.device) + 0.5) / (2 * width)
            place = slice(-2 * width, None) if reverse else slice(2 * width)
            weights[place] *= ramp.flip(0) if reverse else ramp
    return weights
