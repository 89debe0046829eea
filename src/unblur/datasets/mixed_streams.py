"""Endless training samples of several streams in turn, drawn by shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from unblur.datasets.sampling import generator_for
from unblur.datasets.unpaired_streams import SampleStream, paths_of
from unblur.errors import SettingsError

__all__ = ["MixedStream", "StreamPart"]


@dataclass(frozen=True)
class StreamPart:
    """One stream in a mixture.

    Attributes:
        stream: Gives samples with the same entries, of the same size, as the others.
        share: Its share of the samples, relative to the other parts.
    """

    stream: SampleStream
    share: float = 1.0


class MixedStream:
    """Each sample comes from one of several streams, such as scenes blurred in different encodings.

    Args:
        parts: The streams.
        seed: Another seed draws them in another order; the samples of each stream have seeds of their own.

    Raises:
        SettingsError: Shares that are not positive in sum.
    """

    def __init__(self, parts: Sequence[StreamPart], *, seed: int = 0) -> None:
        if any(part.share < 0 for part in parts) or not sum(part.share for part in parts) > 0:
            raise SettingsError("the shares of a mixture are 0 or more, and not all 0")
        self.parts, self.seed = list(parts), seed
        self._shares = torch.tensor([part.share for part in parts], dtype=torch.float32)

    @property
    def paths(self) -> list[Path]:
        """Every photo of the streams, for the record of a run."""
        return [path for part in self.parts for path in paths_of(part.stream)]

    def sample(self, index: int) -> dict[str, Tensor]:
        """Sample number `index` of one of the streams.

        Raises:
            ReadError: The photo that was drawn cannot be read; the message names it.
        """
        place = int(torch.multinomial(self._shares, 1, generator=generator_for(self.seed, index)))
        return self.parts[place].stream.sample(index)
