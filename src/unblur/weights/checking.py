"""What every set of weights must be, wherever it comes from or goes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from unblur.errors import CheckpointError
from unblur.system.text import quote
from unblur.weights.storages import ITEM_BYTES

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["check_tensors"]


def check_tensors(tensors: Mapping[str, Tensor]) -> None:
    """Refuse weights that no network should get.

    Raises:
        CheckpointError: There are none, or one holds NaN, infinity or numbers of a type that is not used here.
    """
    if not tensors:
        raise CheckpointError("holds no tensors")
    for name, tensor in tensors.items():
        dtype = str(tensor.dtype).removeprefix("torch.")
        if dtype not in ITEM_BYTES:
            raise CheckpointError(f"holds {quote(name)} as numbers of type {dtype}, which are not read here")
        if not tensor.isfinite().all():
            raise CheckpointError(f"holds values in {quote(name)} that are not finite numbers (NaN or infinite)")
