"""The restoration with the true kernel, the denominator of error ratios, computed once for each pair.

Its errors are cached in `$XDG_CACHE_HOME/unblur`, else `~/.cache/unblur`, under a digest of the
code that produced them, so they never belong to another version.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch

from unblur.datasets.pairs import Pair
from unblur.errors import UnblurError
from unblur.methods.apply import restore_tensor
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.metrics.protocols import Protocol
from unblur.metrics.score import score
from unblur.system.atomic import atomic_write
from unblur.system.digests import digest_code

__all__ = ["REFERENCE_METHOD", "Errors", "reference_errors"]

REFERENCE_METHOD = "known-kernel"

_CODE = (
    "blur/*.py",
    "datasets/*.py",
    "images/*.py",
    "methods/*.py",
    "methods/known_kernel/*.py",
    "metrics/*.py",
    "solvers/*.py",
)


class Errors(NamedTuple):
    """Errors of a restoration against the truth, as in `metrics.residual`."""

    squared: float
    spectral: float


def reference_errors(suite: str, pair: Pair, protocol: Protocol) -> Errors:
    """The errors that are left when a pair is restored with its true kernel by the method's own settings.

    Raises:
        UnblurError: That restoration failed.
    """
    place = _cache_folder() / f"{suite}-{protocol}-{_digest_of(pair)}.json"
    try:
        return Errors(**json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        errors = _compute(pair, protocol)
    _keep(place, errors)
    return errors


def _compute(pair: Pair, protocol: Protocol) -> Errors:
    options = RestoreOptions(kernel=pair.kernel, encoding=pair.encoding)
    restored = restore_tensor(pair.blurry, load_method(REFERENCE_METHOD), options).image
    scores = score(restored, pair.sharp, protocol, pair.views)
    return Errors(float(scores.squared_error), float(scores.spectral_error))


def _keep(place: Path, errors: Errors) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(place, json.dumps(errors._asdict()).encode(), overwrite=True)
    except (OSError, UnblurError):
        return  # a cache that cannot be written costs time only


@cache
def _cache_folder() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "unblur" / "known-kernel" / f"{digest_code(_CODE)}-torch{torch.__version__}"


def _digest_of(pair: Pair) -> str:
    digest = hashlib.sha256(pair.encoding.encode())
    for tensor in (pair.blurry, pair.sharp, pair.kernel):
        if tensor is not None:
            digest.update(str(tuple(tensor.shape)).encode())
            digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:24]
