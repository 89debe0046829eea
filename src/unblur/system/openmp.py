"""Threads of one operation that wait for each other without keeping the processor from other programs."""

from __future__ import annotations

import os

__all__ = ["wait_briefly"]

_ROUNDS = "GOMP_SPINCOUNT"
_FEW_ROUNDS = "1000"
"""What GNU's OpenMP itself takes where its own threads are more than the processors."""


def wait_briefly() -> None:
    """Have GNU's OpenMP, which PyTorch uses on Linux, ask only briefly whether other threads are done, and then sleep.

    By itself it asks for milliseconds at the end of every operation. Beside another program, which may use the
    processor that the last thread waits for, a search took 164 s instead of 24 s. This holds for the process itself
    if PyTorch is not loaded yet, and for those that it starts; where the environment says how to wait, nothing is
    changed.
    """
    if not os.environ.keys() & {_ROUNDS, "OMP_WAIT_POLICY"}:
        os.environ[_ROUNDS] = _FEW_ROUNDS
