"""The executor of batches that restores photos in a Ray cluster."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from secrets import token_hex

from unblur.batch.executors import lost
from unblur.batch.jobs import PhotoJob
from unblur.batch.options import BatchOptions
from unblur.batch.work import JobHook, PhotoResult, restore_in_worker
from unblur.cluster.ray_pool import run_on_ray
from unblur.methods.base import Step

__all__ = ["RayExecutor", "restore_elsewhere"]


@dataclass(frozen=True)
class RayExecutor:
    """A Ray cluster; every machine of it has this version of unblur, and sees inputs and outputs under their names.

    Attributes:
        address: `HOST:PORT` of a running cluster, or `auto`: the one that this machine is part of; None: a cluster for
            this run alone, on this machine.
        processes: Photos at the same time; None: as many as there are GPUs or, without any, processor cores.
    """

    address: str | None = None
    processes: int | None = None

    def run(self, jobs: Sequence[PhotoJob], options: BatchOptions, on_step: JobHook) -> Generator[PhotoResult]:  # noqa: ARG002 - steps stay on their machines
        """See `unblur.batch.executors.Executor`.

        A photo whose machine was lost is restored on another one, unless its output had been written.

        Raises:
            MissingExtraError: Ray is not installed.
            ClusterError: The cluster cannot be reached, or breaks.
        """
        if not jobs:
            return
        yield from run_on_ray(
            jobs,
            f"{__name__}:{restore_elsewhere.__name__}",
            (replace(options, run=token_hex(8)), options.fingerprint),
            on_death=lost,
            address=self.address,
            count=self.processes,
            may_use_gpus=options.restore.device != "cpu",
        )


def restore_elsewhere(setup: tuple[BatchOptions, str], job: PhotoJob, send: Callable[[Step], None]) -> PhotoResult:
    """`restore_in_worker` on a machine that has to make the same of a photo as the one that asks for it.

    Args:
        setup: Options, and their fingerprint where the run was started.
        job: The photo.
        send: Takes the steps.
    """
    options, fingerprint = setup
    if options.fingerprint == fingerprint:
        return restore_in_worker(options, job, send)
    reason = (
        f"was not restored: the machine {socket.gethostname()} has another version of unblur, or other weights, than"
        " the one that started the run"
    )
    return PhotoResult(job.input, job.output, "failed", method=options.method, error=reason, fault="usage")
