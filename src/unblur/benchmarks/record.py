"""The record of a benchmark run, kept beside its rows so that a run goes on only with rows of its own kind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from unblur.benchmarks.options import BenchmarkOptions
from unblur.errors import UsageError
from unblur.methods.loading import choose_weights
from unblur.system.atomic import atomic_write
from unblur.system.digests import digest_code
from unblur.system.run_record import Record, differences, make_record, record_bytes
from unblur.weights.shipped import checksum_of

__all__ = ["RECORD_NAME", "benchmark_record", "check_record", "write_record"]

RECORD_NAME = "record.json"

_CODE = (
    "backbones/**/*.py", "benchmarks/pair_run.py", "benchmarks/reference.py", "blur/**/*.py", "datasets/**/*.py",
    "images/**/*.py", "methods/**/*.py", "metrics/**/*.npz", "metrics/**/*.py", "solvers/**/*.py", "system/**/*.py",
    "weights/**/*.py",
)  # fmt: skip


def benchmark_record(runs: Sequence[BenchmarkOptions], names: Sequence[str]) -> Record:
    """Everything that decides the rows of a run: options, names of the pairs, code.

    Args:
        runs: Options for each method; they differ in method, settings, weights and subfolder alone.
        names: Names of all pairs of the suite.
    """
    first = runs[0]
    settings = {
        "suite": first.suite,
        "methods": [options.method for options in runs],
        "settings": {
            options.method: {name: str(value) for name, value in options.settings.items()} for options in runs
        },
        "weights": {options.method: _checksum(options) for options in runs},
        "protocol": first.protocol,
        "encoding": first.encoding,
        "grey": first.grey,
        "seed": first.seed,
        "device": first.device,
        "limit": first.limit,
        "only": first.only,
        "metrics": list(first.metrics),
        "save_images": first.save_images,
    }
    pairs = hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return make_record(settings, data={"pairs": pairs}, code={"unblur": digest_code(_CODE)})


def check_record(record: Record, out: Path) -> None:
    """Refuse to go on with rows that were made otherwise.

    Raises:
        UsageError: What the folder's record says differs, or it has none.
    """
    try:
        found = differences(json.loads((out / RECORD_NAME).read_text(encoding="utf-8")), record)
    except (OSError, ValueError, AttributeError):
        found = [f"it has no readable {RECORD_NAME}"]
    if found:
        raise UsageError(
            f"the output folder holds rows of another run ({'; '.join(found)}); "
            "choose another --out, or start over with --overwrite"
        )


def write_record(record: Record, out: Path) -> None:
    """Write the record beside the rows.

    Raises:
        OutputError: The folder cannot be written to.
    """
    atomic_write(out / RECORD_NAME, record_bytes(record), overwrite=True)


def _checksum(options: BenchmarkOptions) -> str | None:
    weights = choose_weights(options.method, options.weights)
    return None if weights is None else checksum_of(weights)
