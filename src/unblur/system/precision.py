"""Precision in which a device computes networks."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

__all__ = ["Precision", "choose_precision", "precision_for"]

Precision = Literal["auto", "float32", "bfloat16"]


def choose_precision(wanted: Precision, device: torch.device) -> torch.dtype:
    """The type of number to convolve with on a device: the one given, or the fast one there for `"auto"`."""
    if wanted == "auto":
        return torch.bfloat16 if _computes_bfloat16(device) else torch.float32
    return torch.float32 if wanted == "float32" else torch.bfloat16


def precision_for(image: Tensor, wanted: Precision) -> torch.dtype:
    """The type of number to convolve an image with: as `choose_precision` says, and float64 for what is float64."""
    return torch.float64 if image.dtype == torch.float64 else choose_precision(wanted, image.device)


def _computes_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # Without such instructions bfloat16 is imitated and slower than float32. The question has no public name yet.
    ask = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return device.type == "cpu" and ask is not None and bool(ask())
