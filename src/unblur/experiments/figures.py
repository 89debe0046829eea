"""Figures that experiments share: panels of lines, bars, and grids of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Line", "Panel", "draw_bars", "draw_images", "draw_panels"]


@dataclass(frozen=True)
class Line:
    """Points of a panel, joined or not.

    Attributes:
        x: Horizontal places, numbers or words.
        y: Vertical places, numbers or words.
        label: Name in the legend; empty: none.
        style: Format string of matplotlib: marker, line, colour.
    """

    x: Sequence[float] | Sequence[str]
    y: Sequence[float] | Sequence[str]
    label: str = ""
    style: str = "o-"


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes:
        lines: What is drawn.
        x_label: Name of the horizontal axis, with its unit.
        y_label: Name of the vertical axis, with its unit.
        title: Title; empty: none.
        levels: Horizontal lines by their name in the legend.
        boundary: Place of a vertical line; None: none.
        log_x: Whether the horizontal axis is logarithmic.
    """

    lines: Sequence[Line]
    x_label: str
    y_label: str
    title: str = ""
    levels: Mapping[str, float] = field(default_factory=dict[str, float])
    boundary: float | None = None
    log_x: bool = False


def draw_panels(panels: Sequence[Panel], columns: int = 0) -> Figure:
    """Panels in rows of so many columns (0: all in one row)."""
    columns = columns or len(panels)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(5.5 * columns, 3.6 * rows), layout="constrained")
    for place, panel in enumerate(panels, start=1):
        _draw_panel(figure.add_subplot(rows, columns, place), panel)
    return figure


def draw_bars(values: Mapping[str, float], x_label: str) -> Figure:
    """A horizontal bar for each value, the first on top."""
    figure = Figure(figsize=(7, 1 + 0.5 * len(values)), layout="constrained")
    axes = figure.subplots()
    axes.barh(list(values), list(values.values()))
    axes.invert_yaxis()
    axes.set_xlabel(x_label)
    return figure


def draw_images(images: Sequence[tuple[str, Tensor]], columns: int) -> Figure:
    """Images in rows of so many columns, each under its title.

    Args:
        images: Title and image, `(1, 3, h, w)` in [0, 1] or `(1, 1, h, w)` of any range, such as kernels.
        columns: Images of a row.
    """
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(2.4 * columns, 2.4 * rows), layout="constrained")
    for place, (title, image) in enumerate(images, start=1):
        axes = figure.add_subplot(rows, columns, place)
        axes.imshow(_pixels(image), cmap="gray")
        axes.set_title(title, fontsize=8)
        axes.set_axis_off()
    return figure


def _draw_panel(axes: Any, panel: Panel) -> None:
    for line in panel.lines:
        axes.plot(line.x, line.y, line.style, label=line.label or None, markersize=4)
    for number, (label, level) in enumerate(panel.levels.items()):
        axes.axhline(level, color="0.5", linestyle=("--", ":")[number % 2], label=label)
    if panel.boundary is not None:
        axes.axvline(panel.boundary, color="0.5", linewidth=0.8)
    if panel.log_x:
        axes.set_xscale("log")
    axes.set(xlabel=panel.x_label, ylabel=panel.y_label, title=panel.title)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize="x-small")


def _pixels(image: Tensor) -> NDArray[np.float32]:
    pixels = image[0].permute(1, 2, 0).float().numpy()
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels.clip(0, 1)
