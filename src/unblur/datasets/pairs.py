"""Pairs of a blurry and a sharp image, and data sets as sequences of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, overload

from torch import Tensor

from unblur.errors import UsageError

__all__ = ["Loader", "Pair", "PairEncoding", "PairedSet", "choose", "spread"]

PairEncoding = Literal["auto", "encoded", "linear"]
"""Where a blur took place: on stored values, in linear light, or not known (`"auto"`)."""


@dataclass(frozen=True)
class Pair:
    """A blurry image and its truth.

    Attributes:
        name: Unique in its data set.
        blurry: `(1, C, H, W)`, float32 in [0, 1], encoded as stored.
        sharp: The truth, the same shape, same encoding.
        kernel: The true blur `(1, 1, kH, kW)`, sum 1, where it is known: `convolve(sharp, kernel)` is `blurry`, up to
            a shift of a few pixels where the data were photographed.
        encoding: Where the blur took place; `"encoded"`: the image was blurred as it is stored.
        motion_field: The true displacement over the exposure `(1, 2, H, W)`, (right, down) in pixels, if it is known.
        views: Where the truth is a sequence of sharp images over the exposure: all of them, each read when it is asked
            for; `sharp` is the middle one.
    """

    name: str
    blurry: Tensor
    sharp: Tensor
    kernel: Tensor | None = None
    encoding: PairEncoding = "encoded"
    motion_field: Tensor | None = None
    views: Sequence[Tensor] = ()


Loader = Callable[[], Pair]


class PairedSet(Sequence[Pair]):
    """A data set: a pair is read, or made, each time it is asked for.

    Attributes:
        names: The name of each pair, known without reading it.
        blurs: Number of consecutive pairs that show one sharp image under different blurs, the same for every image.
    """

    def __init__(self, pairs: Sequence[tuple[str, Loader]], blurs: int = 1) -> None:
        self.names = tuple(name for name, _ in pairs)
        self.blurs = blurs
        self._loaders = tuple(loader for _, loader in pairs)

    def __len__(self) -> int:
        return len(self._loaders)

    @overload
    def __getitem__(self, index: int) -> Pair: ...
    @overload
    def __getitem__(self, index: slice) -> PairedSet: ...
    def __getitem__(self, index: int | slice) -> Pair | PairedSet:
        if isinstance(index, slice):
            return PairedSet(list(zip(self.names[index], self._loaders[index], strict=True)))
        return self._loaders[index]()


def choose(pairs: PairedSet, limit: int | None = None, only: str | None = None) -> list[int]:
    """The indices of the pairs that a user names, or of a few of them.

    Args:
        pairs: The data set.
        limit: Number of pairs, spread evenly over the chosen ones (without names as in `spread`); None: all.
        only: Patterns of names as a shell has them (`im?_kernel[25]`), commas between; None: every name.

    Raises:
        UsageError: A pattern fits no name.
    """
    if only is None:
        return spread(pairs, limit)
    patterns = [pattern.strip() for pattern in only.split(",")]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in pairs.names):
            raise UsageError(f"no pair has a name like {pattern!r}; the first is {pairs.names[0]!r}")
    named = [place for place, name in enumerate(pairs.names) if any(fnmatchcase(name, pattern) for pattern in patterns)]
    count = min(limit or len(named), len(named))
    return [named[number * len(named) // count] for number in range(count)]


def spread(pairs: PairedSet, limit: int | None) -> list[int]:
    """The indices of `limit` pairs, evenly over the data set; of all if `limit` is None or not smaller.

    Images follow each other in even steps while the blurs take turns, so a few pairs show many images and every blur.
    """
    if limit is None or limit >= len(pairs):
        return list(range(len(pairs)))
    images = len(pairs) // pairs.blurs
    return [(i * images // limit) * pairs.blurs + i % pairs.blurs for i in range(limit)]
