"""The memory of large tensors kept for the next one.

glibc gives the memory of large tensors back to the system when they are freed, and gets it anew, page by page and
filled with zeros, a layer later; a network on the processor can spend as long on that as on its convolutions.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

__all__ = ["keep_freed_memory"]

# Names and values of malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_FROM_HEAP = 32 * 2**20
"""What glibc itself takes at most; larger tensors are mapped and given back, so the heap does not grow with them."""
_LARGEST_KEPT = 512 * 2**20
_WISHES = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")


@cache
def keep_freed_memory() -> bool:
    """Ask glibc, once and for the whole process, to keep up to 512 MB for reuse.

    Returns:
        Whether glibc was asked: not where there is no glibc, and not where the environment says how it is to behave.
    """
    if any(name in os.environ for name in _WISHES):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    return bool(
        library.mallopt(_MMAP_THRESHOLD, _LARGEST_FROM_HEAP) and library.mallopt(_TRIM_THRESHOLD, _LARGEST_KEPT)
    )
