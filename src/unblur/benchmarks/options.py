"""What a benchmark run is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unblur.methods.options import Encoding
from unblur.metrics.protocols import Protocol

__all__ = ["BenchmarkOptions"]


@dataclass(frozen=True)
class BenchmarkOptions:
    """What a benchmark run does; plain values that travel to other processes.

    Attributes:
        suite: Name of the suite.
        method: Name of the method.
        protocol: Cropping and alignment before scoring.
        out: Folder for rows, summary, kernels and images.
        settings: Settings of the method by name.
        weights: Weights of a trained method in place of its own: a file or a name.
        encoding: Where the images were blurred; None: as the data set says.
        data: Folder that holds the data sets; None: see `datasets.folders.find_root`.
        pair_list: The CSV file of the suite `pairs`.
        seed: Seed of the method.
        device: Where the method runs, see `methods.apply.choose_device`; scores are taken on the processor.
        limit: Number of pairs, spread over the suite; None: all.
        only: Names of the pairs, see `datasets.pairs.choose`; None: all.
        metrics: Further metrics, see `metrics.catalog`.
        grey: Restore and score the luma of the pairs, as DUBLID's test does.
        save_images: Also keep the restored images, and the pairs beside them.
        subfolder: Folder below `kernels` and `images` for the files of this method; empty: none of its own.
    """

    suite: str
    method: str
    protocol: Protocol
    out: Path
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    weights: str | None = None
    encoding: Encoding | None = None
    data: Path | None = None
    pair_list: Path | None = None
    seed: int = 0
    device: str = "cpu"
    limit: int | None = None
    only: str | None = None
    metrics: tuple[str, ...] = ()
    grey: bool = False
    save_images: bool = False
    subfolder: str = ""
