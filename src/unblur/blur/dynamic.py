"""Scenes in which things move by themselves: layers shifted, turned and composited at every moment of the exposure.

Layer 0 is the background, further layers are objects in front of it, the last one nearest. At mid-exposure all layers
lie where they are in the photo, so the photo itself is the sharp truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Bool, Float
from torch import Tensor

from unblur.blur.trajectories import sample_trajectory
from unblur.errors import ShapeError

__all__ = ["Exposure", "expose", "random_blobs", "sample_layer_paths"]


@dataclass(frozen=True)
class Exposure:
    """What the sensor saw.

    Attributes:
        blurry: Mean over the exposure `(1, C, H, W)`.
        motion_field: Displacement of what is seen at each pixel at mid-exposure, from the first to the last moment,
            `(1, 2, H, W)`, (right, down) in pixels.
    """

    blurry: Tensor
    motion_field: Tensor


def expose(
    image_linear: Float[Tensor, "1 c h w"], masks: Bool[Tensor, "k h w"], paths: Float[Tensor, "l t 3"]
) -> Exposure:
    """Average the scene over the exposure, with objects that hide and uncover what is behind them.

    What lies behind an object is not in the photo: it is filled in smoothly from around.

    Args:
        image_linear: The photo in linear light.
        masks: Where each object is; a pixel belongs to the last object that claims it.
        paths: For the background and each object, at equal steps of time: (right, down) in pixels and the angle in
            radians, clockwise on the screen, about the middle of the layer; zero at the middle step, or on average
            where only `blurry` is wanted: the photo shows the scene in the pose zero.

    Raises:
        ShapeError: Not one path a layer, or an even number of steps.
    """
    if paths.shape[0] != masks.shape[0] + 1 or paths.shape[1] % 2 == 0:
        raise ShapeError(f"expected {masks.shape[0] + 1} paths of an odd number of steps, got {tuple(paths.shape[:2])}")
    masks = _visible(masks)
    background = _fill(image_linear, masks.any(0)[None, None])
    objects = [torch.cat([image_linear * mask, mask[None, None].to(image_linear.dtype)], 1) for mask in masks]
    centres = [_middle_of_frame(masks), *(_middle_of(mask) for mask in masks)]
    total = torch.zeros_like(image_linear)
    for step in range(paths.shape[1]):
        scene = _move(background, paths[0, step], centres[0], "border")
        for layer, path, centre in zip(objects, paths[1:], centres[1:], strict=True):
            moved = _move(layer, path[step], centre, "zeros")
            scene = moved[:, :-1] + (1 - moved[:, -1:]) * scene
        total += scene
    return Exposure(total / paths.shape[1], _displacement(masks, paths, centres).to(image_linear.dtype))


def sample_layer_paths(
    count: int,
    generator: torch.Generator,
    *,
    object_length: tuple[float, float],
    shake_length: float,
    turn: float,
    steps: int = 33,
) -> Float[Tensor, "l t 3"]:
    """Random paths for a background and `count` objects in front of it.

    The whole scene shakes with the camera; each object moves straight on its way besides, and turns.

    Args:
        count: Objects.
        generator: Draws the paths.
        object_length: Range of an object's own way over the exposure, pixels.
        shake_length: Way of the camera over the exposure, pixels; 0: a tripod.
        turn: Largest angle that an object turns by over the exposure, radians.
        steps: Moments of the exposure; odd.

    Returns:
        For each layer and step (right, down, angle); zero at the middle step.
    """
    shake = sample_trajectory(generator, length=shake_length, steps=steps) if shake_length else torch.zeros(steps, 2)
    paths = torch.zeros(count + 1, steps, 3)
    paths[..., :2] = shake
    time = torch.linspace(-0.5, 0.5, steps)
    for path in paths[1:]:
        length, direction, angle = torch.rand(3, generator=generator).tolist()
        way = object_length[0] + (object_length[1] - object_length[0]) * length
        path[:, 0] += way * math.cos(2 * math.pi * direction) * time
        path[:, 1] += way * math.sin(2 * math.pi * direction) * time
        path[:, 2] += turn * (2 * angle - 1) * time
    return paths - paths[:, steps // 2 : steps // 2 + 1]


def random_blobs(size: tuple[int, int], count: int, generator: torch.Generator) -> Bool[Tensor, "k h w"]:
    """Smooth random shapes, for photos whose objects nobody has outlined.

    Args:
        size: (height, width).
        count: How many; they may overlap.
        generator: Draws place, size and outline.
    """
    height, width = size
    rows = torch.arange(height, dtype=torch.float32)[:, None]
    columns = torch.arange(width, dtype=torch.float32)[None, :]
    blobs: list[Tensor] = []
    for _ in range(count):
        x, y, share = torch.rand(3, generator=generator).tolist()
        down, right = rows - height * (0.15 + 0.7 * y), columns - width * (0.15 + 0.7 * x)
        angle = torch.atan2(down, right)
        radius = torch.full_like(angle, min(size) * (0.1 + 0.15 * share))
        wobble, phase = torch.rand(2, 4, generator=generator)
        for order in range(4):
            swing = 0.3 * float(wobble[order]) / (order + 1)
            radius = radius * (1 + swing * torch.cos((order + 2) * angle + 2 * math.pi * float(phase[order])))
        blobs.append(torch.hypot(down, right) < radius)
    return torch.stack(blobs) if blobs else torch.zeros(0, height, width, dtype=torch.bool)


def _visible(masks: Tensor) -> Tensor:
    """The masks without what nearer objects hide."""
    nearer = masks.flip(0).long().cumsum(0).flip(0) - masks.long()
    return masks & (nearer == 0)


def _fill(image: Tensor, hidden: Tensor) -> Tensor:
    """The image with a smooth continuation of the rest where it is hidden: a pyramid of weighted means."""
    weight = (~hidden).to(image.dtype)
    weighted = image * weight
    levels = [(weighted, weight)]
    while bool((weight == 0).any()) and max(weight.shape[-2:]) > 1:
        weighted, weight = (F.avg_pool2d(part, 2, ceil_mode=True) for part in (weighted, weight))
        levels.append((weighted, weight))
    filled = torch.zeros_like(levels[-1][0])
    for weighted, share in reversed(levels):
        coarse = F.interpolate(filled, weighted.shape[-2:], mode="bilinear", align_corners=False)
        filled = torch.where(share > 0, weighted / share.clamp_min(1e-12), coarse)
    return filled


def _move(layer: Tensor, pose: Tensor, centre: tuple[float, float], outside: str) -> Tensor:
    """The layer turned about its centre and shifted; bilinear between pixels."""
    height, width = layer.shape[-2:]
    right, down, angle = pose.tolist()
    if right == down == angle == 0:
        return layer
    # where each pixel of the result comes from: back by the shift, then back by the angle
    x = torch.arange(width, dtype=layer.dtype, device=layer.device)[None, :] - centre[0] - right
    y = torch.arange(height, dtype=layer.dtype, device=layer.device)[:, None] - centre[1] - down
    cos, sin = math.cos(angle), math.sin(angle)
    source_x, source_y = cos * x + sin * y + centre[0], -sin * x + cos * y + centre[1]
    grid = torch.stack([2 * source_x / max(width - 1, 1) - 1, 2 * source_y / max(height - 1, 1) - 1], -1)
    return F.grid_sample(layer, grid[None], padding_mode=outside, align_corners=True)


def _middle_of(mask: Tensor) -> tuple[float, float]:
    """(x, y) of a mask's centre of mass; of an object wholly hidden, the origin."""
    rows, columns = torch.nonzero(mask, as_tuple=True)
    if not len(rows):
        return 0.0, 0.0
    return float(columns.double().mean()), float(rows.double().mean())


def _middle_of_frame(masks: Tensor) -> tuple[float, float]:
    return (masks.shape[-1] - 1) / 2, (masks.shape[-2] - 1) / 2


def _displacement(masks: Tensor, paths: Tensor, centres: list[tuple[float, float]]) -> Tensor:
    """Last place less first place of the point that each pixel shows at mid-exposure."""
    height, width = masks.shape[-2:]
    x = torch.arange(width, dtype=torch.float64)[None, :].expand(height, width)
    y = torch.arange(height, dtype=torch.float64)[:, None].expand(height, width)
    field = torch.zeros(2, height, width, dtype=torch.float64)
    everywhere = torch.ones(1, height, width, dtype=torch.bool)
    for where, path, centre in zip(torch.cat([everywhere, masks.cpu()]), paths, centres, strict=True):
        last, first = (_placed(x, y, pose, centre) for pose in (path[-1], path[0]))
        field = torch.where(where, last - first, field)
    return field[None]


def _placed(x: Tensor, y: Tensor, pose: Tensor, centre: tuple[float, float]) -> Tensor:
    """Where a layer's points are in a pose."""
    right, down, angle = pose.tolist()
    cos, sin = math.cos(angle), math.sin(angle)
    across, along = x - centre[0], y - centre[1]
    return torch.stack([cos * across - sin * along + right, sin * across + cos * along + down])
