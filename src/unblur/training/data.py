"""The batches of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from unblur.errors import SettingsError
from unblur.training.streams import FAULTS, Draw, StepBatches, Stream, StreamDataset, collate, start_worker

__all__ = ["StreamData"]


class StreamData(LightningDataModule):
    """Batches of a stream for training, and a fixed list of samples for validation.

    Args:
        train: Stream of training samples.
        validation: Another stream, or the same with another seed; None: no validation.
        batch_size: Samples of a step, on each device.
        validation_samples: Number of samples of the validation stream, from number 0 on.
        workers: Processes that make samples; 0: the process that trains makes them itself. The batches do not depend
            on their number.
        max_bad_share: Largest share of samples with photos that cannot be read; more end the run.
    """

    def __init__(
        self,
        train: Stream,
        validation: Stream | None = None,
        *,
        batch_size: int = 4,
        validation_samples: int = 32,
        workers: int = 2,
        max_bad_share: float = 0.01,
    ) -> None:
        super().__init__()
        if batch_size < 1 or validation_samples < 1 or workers < 0:
            raise SettingsError("batch_size and validation_samples take 1 or more, workers 0 or more")
        self.train, self.validation = train, validation
        self.batch_size, self.validation_samples = batch_size, validation_samples
        self.workers, self.max_bad_share = workers, max_bad_share
        self._validation_batches: list[dict[str, Tensor]] = []
        self.validation_faults: list[str] = []
        """Photos of the validation samples that cannot be read; known once the samples are made."""

    def batches_from(self, step: int) -> StepBatches:
        """The numbers of the samples of this process."""
        trainer = self.trainer
        rank, world_size = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        return StepBatches(step, self.batch_size, rank=rank, world_size=world_size)

    def describe(self, step: int) -> str:
        """What the batch of a step was made of: file names, where the stream knows them (`source(index)`)."""
        numbers = self.batches_from(step).numbers(step)
        source = getattr(self.train, "source", None)
        return ", ".join(source(number) if source else f"sample {number}" for number in numbers)

    def train_dataloader(self) -> DataLoader[Draw]:
        """Batches from the trainer's step on; Lightning calls this after a checkpoint was loaded."""
        step = self.trainer.global_step if self.trainer else 0
        return DataLoader(
            StreamDataset(self.train),
            batch_sampler=self.batches_from(step),  # pyright: ignore[reportArgumentType] - any iterable of lists will do
            num_workers=self.workers,
            # only forked workers see that the run was killed, and end too
            multiprocessing_context="fork" if self.workers else None,
            collate_fn=collate,
            worker_init_fn=start_worker,
            pin_memory=torch.cuda.is_available(),
        )

    def validation_batches(self) -> Sequence[dict[str, Tensor]]:
        """The validation samples in batches on the processor; made once, then kept."""
        if self.validation is not None and not self._validation_batches:
            dataset = StreamDataset(self.validation)
            for first in range(0, self.validation_samples, self.batch_size):
                last = min(first + self.batch_size, self.validation_samples)
                batch: dict[str, Any] = collate([dataset[number] for number in range(first, last)])
                self.validation_faults += batch.pop(FAULTS)
                self._validation_batches.append(batch)
        return self._validation_batches
