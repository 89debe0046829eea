"""Endless training data that can be resumed at any step.

A *stream* is any object with `sample(index)`, a pure function of its settings and the index. Batch number s holds the
samples from s times the batch size on, whichever process makes them: a resumed run needs no random state, and any
number of worker processes gives the same batches.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from unblur.errors import ReadError

__all__ = ["FAULTS", "Draw", "StepBatches", "Stream", "StreamDataset", "collate", "start_worker"]

FAULTS = "faults"
"""Key of a batch under which it lists photos that could not be read."""

_TRIES = 20
_STRIDE = 1_000_000_007
"""Distance of a sample from its replacement: no run gets so far. Odd, because torch seeds with 32 bits: a power of 2
would give some streams the same sample again."""


class Stream(Protocol):
    """Samples by number."""

    def sample(self, index: int) -> dict[str, Tensor]:
        """Sample number `index`; raises `ReadError`, naming the file, where a photo cannot be read."""
        ...


class Draw(NamedTuple):
    """A sample, and the faults of those that it replaces."""

    sample: dict[str, Tensor]
    faults: list[str]


class StreamDataset(Dataset[Draw]):
    """A stream as Lightning's loaders ask for it; a sample of a bad photo is replaced, always by the same other one."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    def __getitem__(self, index: int) -> Draw:
        """Sample number `index`, or the next of its replacements that can be read.

        Raises:
            ReadError: None of them.
        """
        faults: list[str] = []
        for attempt in range(_TRIES):
            try:
                return Draw(self.stream.sample(index + attempt * _STRIDE), faults)
            except ReadError as error:
                faults.append(str(error))
        raise ReadError(f"{_TRIES} photos in a row cannot be read, the last one: {faults[-1]}")


class StepBatches:
    """The numbers of the samples of each batch, from a step on, for ever.

    Args:
        start: First step.
        batch_size: Samples a step of one process.
        rank: Number of this process; the samples of a step are divided among all processes.
        world_size: Number of processes.
    """

    def __init__(self, start: int, batch_size: int, *, rank: int = 0, world_size: int = 1) -> None:
        self.start, self.batch_size, self.rank, self.world_size = start, batch_size, rank, world_size

    def __iter__(self) -> Iterator[list[int]]:
        step = self.start
        while True:
            yield self.numbers(step)
            step += 1

    def numbers(self, step: int) -> list[int]:
        """The numbers of one step."""
        first = (step * self.world_size + self.rank) * self.batch_size
        return list(range(first, first + self.batch_size))


def collate(draws: Sequence[Draw]) -> dict[str, Any]:
    """A batch: the tensors of the samples on top of each other, and their faults."""
    batch: dict[str, Any] = default_collate([draw.sample for draw in draws])
    return batch | {FAULTS: [fault for draw in draws for fault in draw.faults]}


def start_worker(_number: int) -> None:
    """Prepare a worker process: one thread, and signals are left to the process that trains."""
    torch.set_num_threads(1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
