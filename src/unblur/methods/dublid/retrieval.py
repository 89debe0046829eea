"""The last step of DUBLID: the image whose filtered versions are nearest to those that the layers found.

    min over x   |y - k*x|²  +  sum_i η_i |g_i - w_i*x|²

Grey images are one division of spectra; colour ones share the details g_i, so each frequency is a 3x3 Hermitian system.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Complex
from torch import Tensor

__all__ = ["RetrievalSystem", "retrieve"]


@dataclass(frozen=True)
class RetrievalSystem:
    """Everything that the image is found from, as half spectra `(..., h, w // 2 + 1)`.

    Attributes:
        blurry: `(B, i, ...)` with i = 1 or 3 colour channels.
        kernel: `(B, 1, ...)`.
        filters: `(c, i, ...)`, centred at the origin.
        details: `(B, c, ...)`: the filtered sharp image.
        strengths: `(1, c, 1, 1)`, η.
    """

    blurry: Tensor
    kernel: Tensor
    filters: Tensor
    details: Tensor
    strengths: Tensor


def retrieve(system: RetrievalSystem) -> Complex[Tensor, "b i h f"]:
    """The spectrum of the sharp image."""
    filters, strengths = system.filters, system.strengths
    # r_c = conj(K) Y_c + sum_i η_i conj(W_ci) G_i
    drawn = torch.einsum("cihf,bchf->bihf", filters.conj() * strengths.transpose(0, 1), system.details)
    right = system.kernel.conj() * system.blurry + drawn
    power = system.kernel.abs().square()
    if system.blurry.shape[1] == 1:
        return right / (power + (strengths.transpose(0, 1) * filters.abs().square()).sum(0))
    # A_cd = δ_cd |K|² + sum_i η_i conj(W_ci) W_di
    mixed = torch.einsum("ichf,idhf->cdhf", filters.conj() * strengths.transpose(0, 1), filters)
    return _solve_3x3(mixed, power, right)


def _solve_3x3(mixed: Tensor, power: Tensor, right: Tensor) -> Tensor:
    """Solve (mixed + power I) x = right at each frequency by Cramer's rule; no batched solver is as quick."""
    rows = [[mixed[row, column] + (power[:, 0] if row == column else 0) for column in range(3)] for row in range(3)]
    columns = [torch.stack([rows[row][column].expand_as(right[:, 0]) for row in range(3)]) for column in range(3)]
    answer = right.transpose(0, 1)
    determinant = _determinant(columns)
    solved = [_determinant([*columns[:c], answer, *columns[c + 1 :]]) / determinant for c in range(3)]
    return torch.stack(solved, dim=1)


def _determinant(columns: list[Tensor]) -> Tensor:
    a, b, c = columns
    return a[0] * (b[1] * c[2] - b[2] * c[1]) - b[0] * (a[1] * c[2] - a[2] * c[1]) + c[0] * (a[1] * b[2] - a[2] * b[1])
