"""The chart of quality against time, and the colours of a table of numbers."""

from __future__ import annotations

import base64
import io
import math
import warnings
from collections.abc import Sequence
from typing import Any

from matplotlib import colormaps, rc_context
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from unblur.benchmarks.report.content import Point

__all__ = ["colour_of", "quality_against_time"]

_LEAST_SECONDS = 1e-4
_SVG: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "unblur"}  # text as text, and the same bytes each time


def colour_of(share: float) -> tuple[str, str]:
    """Background and text colour (CSS) of a cell: `share` 0 is the least value of its table, 1 the largest."""
    return to_hex(colormaps["viridis"](share)), "#111111" if share > 0.45 else "#ffffff"


def quality_against_time(points: Sequence[Point]) -> str:
    """Mean PSNR with its interval over the median seconds an image (logarithmic), as a `data:` address of an SVG.

    A browser runs no script and loads nothing in an image, whatever a method or folder is called.
    """
    figure = Figure(figsize=(7.6, 4.0), layout="constrained")
    axes = figure.subplots()
    for place, (method, seconds, (mean, low, high)) in enumerate(points):
        across, colour = max(seconds, _LEAST_SECONDS), f"C{place % 10}"
        axes.errorbar(across, mean, [[mean - low], [high - mean]], fmt="o", capsize=4, color=colour)
        axes.annotate(
            _printable(method),
            (across, mean),
            (8, 4),
            textcoords="offset points",
            color=colour,
            weight="bold",
            parse_math=False,
        )
    axes.set(xscale="log", xlabel="median seconds an image", ylabel="mean PSNR, dB", xlim=_decades(points))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(y=0.15)
    axes.grid(alpha=0.3)
    file = io.StringIO()
    with rc_context(_SVG), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # the browser has fonts of its own
        figure.savefig(file, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(file.getvalue().encode()).decode()}"


def _printable(name: str) -> str:
    r"""The name with characters that XML or a font cannot hold written out, as in `\x1b`."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in name)


def _decades(points: Sequence[Point]) -> tuple[float, float]:
    """Whole powers of ten below and above all times, so that the axis has two labels or more."""
    exponents = [math.log10(max(point.seconds, _LEAST_SECONDS)) for point in points]
    return 10.0 ** math.floor(min(exponents)), 10.0 ** (math.floor(max(exponents)) + 1)
