"""The one decoding process of this process, and the pixels that come out of it."""

from __future__ import annotations

import math
import mmap
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unblur.errors import ReadError
from unblur.images.limits import Limits
from unblur.system.sandbox import Sandbox
from unblur.system.scratch import disk_file

__all__ = ["decoder", "map_pixels", "run_job"]

decoder = Sandbox("unblur.images.decoding")


def run_job(job: str, source: int, limits: Limits, **details: Any) -> tuple[dict[str, Any], int]:
    """Do one of `decoding.JOBS` in the decoding process.

    Args:
        job: Its name.
        source: Open descriptor of what the job works on; stays open.
        limits: What the job may cost.
        details: Further plain values for the job.

    Returns:
        The answer's header, and the descriptor of the pixels, which the caller closes.

    Raises:
        ReadError: The file is damaged or of a kind that is not read.
        TooLargeError: A limit was reached.
    """
    bounds = {"max_pixels": limits.max_pixels, "cpu_seconds": limits.cpu_seconds, "memory": limits.memory}
    target = disk_file()
    try:
        header, pixels = decoder.run(job, source, target=target, **bounds, **details)
    finally:
        if target is not None:
            os.close(target)
    if pixels is None:
        raise ReadError("makes the decoder contradict itself; the file is damaged or malicious")
    return header, pixels


def map_pixels(file: int, shape: tuple[int, int, int], dtype: str) -> tuple[NDArray[Any], bytes]:
    """The array in a scratch file, without a copy (its pages turn private when written), and the bytes after it.

    Raises:
        ReadError: The file is shorter than the shape says.
    """
    size, count = os.fstat(file).st_size, math.prod(shape)
    pixel_bytes = count * np.dtype(dtype).itemsize
    if not 0 < pixel_bytes <= size:
        raise ReadError("makes the decoder contradict itself; the file is damaged or malicious")
    data = mmap.mmap(file, size, access=mmap.ACCESS_COPY)
    return np.frombuffer(data, dtype, count).reshape(shape), data[pixel_bytes:]
