"""What is before the lens, and what is laid over the photo: pages of text and codes, lamps at night, stamps, frames."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from unblur.datasets.photo_kinds.blurs import uniform

__all__ = ["OVERLAYS", "add_lamps", "code_page", "lay_over", "text_page"]

_WORDS = """light time photo under which paper morning number river small evening letter without garden station between
against window thousand market weather silver through sentence mountain harbour 1987 24.5 the and of to a in"""
_FINDER = 7
_QUIET = 4
"""Modules of a finder pattern, and of the paper around a code, as QR codes have them."""
OVERLAYS = ("time stamp", "bars", "frame", "buttons")
"""Sharp things over a photo: a date, black bars, a white frame, parts of an app's window."""


def text_page(size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """A page of printed text in linear light, `(1, 3, H, W)`: paper under uneven light, lines of random words.

    Args:
        size: (height, width).
        generator: Draws words, type size and light.
    """
    height, width = size
    page = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(page)
    points = uniform(13, 26, generator)
    font = ImageFont.load_default(points)
    margin, top = round(uniform(10, 40, generator)), 12.0
    while top < height - points:
        draw.text((margin, top), _sentence(generator, round(1.9 * (width - 2 * margin) / points)), fill=25, font=font)
        top += 1.45 * points
        if uniform(0, 1, generator) < 0.12:
            top += points
    return _lit(torch.from_numpy(np.asarray(page, dtype=np.float32) / 255), generator)


def code_page(size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Labels with square codes in linear light, `(1, 3, H, W)`: random dark modules with three finder patterns each.

    They look like QR codes and say nothing.

    Args:
        size: (height, width).
        generator: Draws the sizes, the modules and light.
    """
    height, width = size
    page = torch.ones(height, width)
    module = round(uniform(3, 9, generator))
    top = _QUIET * module
    while top + _FINDER * 3 * module < height:
        left, tallest = _QUIET * module, 0
        while True:
            code = _draw_code(round(uniform(21, 33, generator)), generator)
            code = code.repeat_interleave(module, 0).repeat_interleave(module, 1)
            if left + code.shape[1] > width:
                break
            part = page[top : top + code.shape[0], left : left + code.shape[1]]
            part.copy_(code[: part.shape[0]])
            left, tallest = left + code.shape[1] + _QUIET * module, max(tallest, code.shape[0])
        top += max(tallest, _FINDER * module) + _QUIET * module
    return _lit(page, generator)


def _draw_code(modules: int, generator: torch.Generator) -> Tensor:
    """A square of modules, 1 is paper: random ones, and a finder pattern in three of the corners."""
    code = (torch.rand(modules, modules, generator=generator) < 0.5).float()
    finder = torch.zeros(_FINDER, _FINDER)
    finder[1:-1, 1:-1] = 1
    finder[2:-2, 2:-2] = 0
    # With the row and column of paper that part it from the modules.
    cornered = torch.nn.functional.pad(finder, (0, 1, 0, 1), value=1.0)
    side = _FINDER + 1
    code[:side, :side] = cornered
    code[:side, -side:] = cornered.flip(1)
    code[-side:, :side] = cornered.flip(0)
    return code


def _lit(page: Tensor, generator: torch.Generator) -> Tensor:
    """A page of ink, 0, on paper, 1, under light that falls off to one side; `(1, 3, H, W)` in linear light."""
    across = torch.linspace(uniform(0.7, 1, generator), uniform(0.7, 1, generator), page.shape[-1])
    tint = torch.tensor([1.0, uniform(0.94, 1, generator), uniform(0.85, 1, generator)])
    return (0.85 * page.square() * across * tint.view(3, 1, 1))[None].float()


def add_lamps(scene: Tensor, generator: torch.Generator) -> Tensor:
    """The scene at night, with lamps far brighter than the sensor can hold; linear light, values above 1."""
    height, width = scene.shape[-2:]
    night = scene * uniform(0.1, 0.3, generator)
    rows = torch.arange(height, dtype=scene.dtype)[:, None]
    columns = torch.arange(width, dtype=scene.dtype)[None, :]
    for _ in range(round(uniform(6, 18, generator))):
        y, x, radius = uniform(0, height, generator), uniform(0, width, generator), uniform(0.8, 2.5, generator)
        spot = (radius + 0.5 - torch.hypot(rows - y, columns - x)).clamp(0, 1)
        colour = torch.tensor([1.0, uniform(0.6, 1, generator), uniform(0.3, 1, generator)]).view(1, 3, 1, 1)
        night = night + uniform(5, 40, generator) * spot * colour.to(scene.dtype)[:, : scene.shape[1]]
    return night


def lay_over(image: Tensor, kind: str, generator: torch.Generator) -> Tensor:
    """The image with sharp things over it; the same seed lays the same over blurry and sharp image.

    Args:
        image: `(1, 3, H, W)`, sRGB-encoded.
        kind: One of `OVERLAYS`.
        generator: Draws place, size and colour.
    """
    layer, mask = _draw_overlay(kind, (image.shape[-2], image.shape[-1]), generator)
    return torch.where(mask, layer.to(image.dtype), image)


def _draw_overlay(kind: str, size: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    height, width = size
    colours = Image.new("RGB", (width, height))
    stencil = Image.new("1", (width, height))
    draws = (ImageDraw.Draw(colours), ImageDraw.Draw(stencil))

    def rectangle(box: tuple[float, float, float, float], colour: tuple[int, int, int]) -> None:
        for draw, fill in zip(draws, (colour, 1), strict=True):
            draw.rectangle(box, fill=fill)

    def write(place: tuple[float, float], text: str, points: float, colour: tuple[int, int, int]) -> None:
        for draw, fill in zip(draws, (colour, 1), strict=True):
            draw.text(place, text, fill=fill, font=ImageFont.load_default(points))

    if kind == "time stamp":
        points = height * uniform(0.05, 0.09, generator)
        write((width * 0.55, height - 1.6 * points), "2024-06-17 18:42", points, (255, 190, 60))
    elif kind == "bars":
        bar = round(height * uniform(0.06, 0.14, generator))
        rectangle((0, 0, width, bar), (0, 0, 0))
        rectangle((0, height - 1 - bar, width, height), (0, 0, 0))
    elif kind == "frame":
        edge = round(height * uniform(0.03, 0.08, generator))
        for box in ((0, 0, width, edge), (0, 0, edge, height)):
            rectangle(box, (255, 255, 255))
        rectangle((0, height - 1 - edge, width, height), (255, 255, 255))
        rectangle((width - 1 - edge, 0, width, height), (255, 255, 255))
    else:
        bar = round(height * uniform(0.07, 0.12, generator))
        rectangle((0, 0, width, bar), (245, 245, 247))
        for number in range(4):
            write(
                (bar / 3 + number * width / 4, bar / 4),
                ("Edit", "Share", "12:45", "Done")[number],
                bar / 2,
                (0, 90, 200),
            )
    tensor = torch.from_numpy(np.asarray(colours, dtype=np.float32).transpose(2, 0, 1).copy() / 255)[None]
    return tensor, torch.from_numpy(np.asarray(stencil).copy())[None, None]


def _sentence(generator: torch.Generator, letters: int) -> str:
    vocabulary = _WORDS.split()
    words: list[str] = []
    while sum(len(word) + 1 for word in words) < letters:
        words.append(vocabulary[int(uniform(0, len(vocabulary) - 1e-6, generator))])
    return " ".join(words)
