"""Figures of `golf-toy`: priors as surfaces and along the diagonal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from unblur.experiments.figures import Line, Panel, draw_panels

__all__ = ["draw_figures"]

_GRID = 101


def draw_figures(
    classifier: Callable[[Tensor], Tensor],
    gradient: Callable[[Tensor], Tensor],
    analytic_gradient: Callable[[Tensor], Tensor],
    integrate: Callable[..., Tensor],
) -> dict[str, Figure]:
    """Surfaces of the priors (Figures 10, 12, 13, 14) and slices along (t, t) (Figure 11).

    Args:
        classifier: Logits of points by a network trained to classify them.
        gradient: Negative gradient of the prior at points by a network trained on it.
        analytic_gradient: Gradient of the analytic prior at points.
        integrate: Integral of a gradient on a grid.
    """
    axis = torch.linspace(-1, 1, _GRID)
    points = torch.cartesian_prod(axis, axis)
    logits = classifier(points)
    spacing = 2 / (_GRID - 1)
    surfaces = {
        "probability of blur (Fig. 10)": logits.softmax(-1)[:, 1].view(_GRID, _GRID),
        "logit of blur (Fig. 12)": logits[:, 1].view(_GRID, _GRID),
        "integral of the gradient network (Fig. 13)": integrate(-gradient(points).view(_GRID, _GRID, 2), spacing),
        "analytic prior (Fig. 14)": integrate(analytic_gradient(points).view(_GRID, _GRID, 2), spacing),
    }
    return {"surfaces": _draw_surfaces(axis, surfaces), "slices": _draw_slices(axis, surfaces)}


def _draw_surfaces(axis: Tensor, surfaces: dict[str, Tensor]) -> Figure:
    figure = Figure(figsize=(11, 9), layout="constrained")
    first, second = torch.meshgrid(axis, axis, indexing="ij")
    for place, (name, values) in enumerate(surfaces.items(), start=1):
        axes: Any = figure.add_subplot(2, 2, place, projection="3d")
        axes.plot_surface(first.numpy(), second.numpy(), values.numpy(), cmap="viridis", rstride=4, cstride=4)
        axes.set(title=name, xlabel="u1", ylabel="u2")
    return figure


def _draw_slices(axis: Tensor, surfaces: dict[str, Tensor]) -> Figure:
    """Each prior scaled to the range 0 to 1 on the blurry half of the diagonal."""
    blurry = axis <= 0
    lines: list[Line] = []
    for name, values in surfaces.items():
        along = values.diagonal()[blurry]
        scaled = (along - along.min()) / (along.max() - along.min())
        lines.append(Line(axis[blurry].tolist(), scaled.tolist(), name, style="-"))
    return draw_panels([Panel(lines, "t on the diagonal (t, t)", "prior, scaled to 0 to 1", title="Slices (Fig. 11)")])
