"""How measurements are headed, printed and compared in tables."""

from __future__ import annotations

from typing import NamedTuple

from unblur.metrics.catalog import METRICS, Better

__all__ = ["Column", "column_of"]


class Column(NamedTuple):
    """One measurement in a table.

    Attributes:
        heading: What stands above it.
        form: Format of a value.
        better: Which values are better; None: nothing says so.
    """

    heading: str
    form: str = "{:.3f}"
    better: Better | None = "higher"


_COLUMNS = {
    "psnr": Column("PSNR dB", "{:.2f}"),
    "ssim": Column("SSIM"),
    "gain": Column("gain dB", "{:+.2f}"),
    "error_ratio": Column("error ratio", "{:.2f}", "lower"),
    "error_ratio_spectral": Column("spectral ratio", "{:.3f}", "lower"),
    "success_share": Column("ratio <= 3", "{:.0%}"),
    "kernel_similarity": Column("kernel similarity"),
    "kernel_rmse": Column("kernel RMSE", "{:.5f}", "lower"),
    "motion_error": Column("motion error px²", "{:.2f}", "lower"),
}


def column_of(name: str) -> Column:
    """The column of a measurement of the rows, or of a further metric."""
    if name in _COLUMNS:
        return _COLUMNS[name]
    metric = METRICS.get(name)
    return Column(name, metric.form, metric.better) if metric else Column(name, better=None)
