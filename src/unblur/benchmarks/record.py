"""What the rows in a folder were made with, so that a run goes on only with rows of its own kind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from unblur.benchmarks.work import Order
from unblur.errors import UsageError
from unblur.methods.catalog import choose_weights
from unblur.system.atomic import atomic_write
from unblur.system.code_digest import code_digest
from unblur.weights.shipped import checksum_of

__all__ = ["Record", "check_record", "record_of", "write_record"]

Record = dict[str, Any]

_NAME = "order.json"
_CODE = (
    "backbones/**/*.py", "benchmarks/work.py", "benchmarks/reference.py", "blur/**/*.py", "datasets/**/*.py",
    "images/**/*.py", "methods/**/*.py", "metrics/**/*.npz", "metrics/**/*.py", "solvers/**/*.py", "system/**/*.py",
    "weights/**/*.py",
)  # fmt: skip


def record_of(orders: Sequence[Order], names: Sequence[str]) -> Record:
    """Everything that decides the rows of a run: the orders, the names of the pairs, and the code.

    Args:
        orders: One for each method; they differ in method, settings and weights alone.
        names: Of all pairs of the suite.
    """
    first = orders[0]
    return {
        "suite": first.suite,
        "pairs": hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()[:16],
        "methods": [order.method for order in orders],
        "settings": {order.method: {name: str(value) for name, value in order.settings.items()} for order in orders},
        "weights": {order.method: _checksum(order) for order in orders},
        "protocol": first.protocol,
        "light": first.light,
        "grey": first.grey,
        "seed": first.seed,
        "device": first.device,
        "limit": first.limit,
        "only": first.only,
        "metrics": list(first.metrics),
        "saved images": first.save_images,
        "version of the code": f"{code_digest(_CODE)} with torch {torch.__version__}",
    }


def _checksum(order: Order) -> str | None:
    weights = choose_weights(order.method, order.weights)
    return None if weights is None else checksum_of(weights)


def check_record(record: Record, out: Path) -> None:
    """Refuse to go on with rows that were made otherwise.

    Raises:
        UsageError: What the folder's record says differs, or it has none.
    """
    try:
        stored = json.loads((out / _NAME).read_text(encoding="utf-8"))
        differing = [name for name in record if stored.get(name) != record[name]]
    except (OSError, ValueError, AttributeError):
        differing = ["everything: it has no readable order.json"]
    if differing:
        raise UsageError(
            f"the output folder holds rows of another run (it differs in {', '.join(differing)}); "
            "choose another --out, or start anew with --overwrite"
        )


def write_record(record: Record, out: Path) -> None:
    """Write the record beside the rows.

    Raises:
        OutputError: The folder cannot be written to.
    """
    atomic_write(out / _NAME, (json.dumps(record, indent=2) + "\n").encode(), overwrite=True)
