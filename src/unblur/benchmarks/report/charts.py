"""Charts as SVG, drawn by hand: they stay small and need nothing from outside."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from unblur.benchmarks.report.content import Grid, Point
from unblur.benchmarks.report.markup import Markup, element

__all__ = ["heat_map", "quality_against_seconds"]

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6b4c9a", "#7f7f7f")  # Okabe and Ito
_RAMP = ((68, 1, 84), (33, 145, 140), (253, 231, 37))  # low, middle, high; close to viridis
_WIDTH, _HEIGHT = 720, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 150, 30, 48


def heat_map(grid: Grid) -> Markup:
    """Each method's mean PSNR for each blur, brighter where higher."""
    known = [value for row in grid.values for value in row if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    head = [element("th", ""), *(element("th", f"kernel {i + 1}") for i in range(len(grid.values[0])))]
    body = [
        element("tr", element("th", element("bdi", method)), *(_heat_cell(value, low, high) for value in row))
        for method, row in zip(grid.methods, grid.values, strict=True)
    ]
    table = element("table", element("thead", element("tr", *head)), element("tbody", *body), class_="heat")
    return element("div", table, class_="wide")


def quality_against_seconds(points: Sequence[Point]) -> Markup:
    """Mean PSNR with its interval over median seconds an image, logarithmic."""
    seconds = [max(point.seconds, 1e-4) for point in points]
    first, last = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)) + 1e-9)
    last = max(last, first + 1)
    low, high = _nice_range(min(p.psnr.low for p in points), max(p.psnr.high for p in points))

    def across(value: float) -> float:
        share = (math.log10(max(value, 1e-4)) - first) / (last - first)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def down(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [_grid_line(across(10.0**e), _seconds_label(e), upright=True) for e in range(first, last + 1)]
    parts += [_grid_line(down(level), f"{level:g}", upright=False) for level in _levels(low, high)]
    parts.append(_label(_LEFT + (_WIDTH - _LEFT - _RIGHT) / 2, _HEIGHT - 8, "median seconds an image", "middle"))
    parts.append(_label(8, _TOP - 16, "mean PSNR, dB", "start"))
    for place, point in enumerate(points):
        parts += _mark(point, across(point.seconds), down, _COLOURS[place % len(_COLOURS)])
    return element(
        "svg", *parts, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label="Mean PSNR against median seconds"
    )


def _heat_cell(value: float | None, low: float, high: float) -> Markup:
    if value is None:
        return element("td", "n/a")
    share = (value - low) / (high - low) if high > low else 0.5
    ink = "#111" if share > 0.45 else "#fff"
    return element("td", f"{value:.2f}", style=f"background:rgb({_colour(share)});color:{ink}")


def _colour(share: float) -> str:
    half = int(share >= 0.5)
    part = 2 * share - half
    return ",".join(str(round(a + part * (b - a))) for a, b in zip(_RAMP[half], _RAMP[half + 1], strict=True))


def _mark(point: Point, x: float, down: Callable[[float], float], colour: str) -> list[Markup]:
    y, top, bottom = (round(down(value), 1) for value in (point.psnr.mean, point.psnr.high, point.psnr.low))
    x = round(x, 1)
    return [
        element("line", x1=x, x2=x, y1=top, y2=bottom, stroke=colour, stroke_width=2),
        *(element("line", x1=x - 5, x2=x + 5, y1=end, y2=end, stroke=colour, stroke_width=2) for end in (top, bottom)),
        element("circle", cx=x, cy=y, r=5.5, fill=colour),
        element("text", point.method, x=x + 11, y=y + 4, fill=colour, font_weight=600, font_size=13),
    ]


def _grid_line(place: float, label: str, *, upright: bool) -> Markup:
    place = round(place, 1)
    if upright:
        ends = {"x1": place, "x2": place, "y1": _TOP, "y2": _HEIGHT - _BOTTOM}
        text = _label(place, _HEIGHT - _BOTTOM + 17, label, "middle")
    else:
        ends = {"x1": _LEFT, "x2": _WIDTH - _RIGHT, "y1": place, "y2": place}
        text = _label(_LEFT - 8, place + 4, label, "end")
    return element("g", element("line", class_="rule", **ends), text)


def _label(x: float, y: float, text: str, anchor: str) -> Markup:
    return element("text", text, x=x, y=y, text_anchor=anchor, class_="axis")


def _seconds_label(exponent: int) -> str:
    return f"{10.0**exponent:g}"


def _nice_range(low: float, high: float) -> tuple[float, float]:
    step = _step(low, high)
    return math.floor(low / step) * step, max(math.ceil(high / step) * step, math.floor(low / step) * step + step)


def _levels(low: float, high: float) -> list[float]:
    step = _step(low, high)
    return [round(low + i * step, 6) for i in range(round((high - low) / step) + 1)]


def _step(low: float, high: float) -> float:
    wide = max(high - low, 0.5)
    return next(step for step in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if wide / step <= 8)
