import math

import numpy as np
import pytest
import torch

from unblur.blur.convolve import convolve
from unblur.blur.kernels import linear_kernel
from unblur.blur.motion_fields import (
    MILD_MOTION,
    STRONG_MOTION,
    blur_by_motion_field,
    largest_reach,
    right_half,
    sample_motion_field,
)
from unblur.errors import ShapeError


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise_image(height: int, width: int, channels: int = 3) -> torch.Tensor:
    return torch.rand(1, channels, height, width, generator=seeded(7))


def field_pixel_by_pixel(height, width, draws, limits):
    """The formulas as printed, one pixel after the other, rows and columns from 1."""
    tx, ty = limits.shift * draws[0], limits.shift * draws[1]
    ax, ay = limits.ramp * draws[2], limits.ramp * draws[3]
    tz, rot = limits.swirl * draws[4], limits.radial * draws[5]
    cx, cy = width / 2 + limits.centre * draws[6], height / 2 + limits.centre * draws[7]
    field = np.zeros((2, height, width))
    for y in range(1, height + 1):
        for x in range(1, width + 1):
            r = math.hypot(x - cx, y - cy)
            alpha = math.atan2((height + 1 - y) - cy, x - cx)
            u = tx * (1 - ax / 2 + ax * x / width)
            v = ty * (1 - ay / 2 + ay * (height + 1 - y) / height)
            u += math.tan(rot) * r * -math.cos(alpha) + tz * r**1.5 * math.sin(alpha)
            v += math.tan(rot) * r * math.sin(alpha) + tz * r**1.5 * math.cos(alpha)
            field[:, y - 1, x - 1] = round(u), round(v)
    return field


@pytest.mark.parametrize("limits", [STRONG_MOTION, MILD_MOTION])
def test_a_field_follows_the_printed_formulas(limits):
    draws = (2 * torch.rand(8, generator=seeded(3), dtype=torch.float64) - 1).tolist()
    field = sample_motion_field((41, 56), seeded(3), limits)
    assert field.shape == (1, 2, 41, 56)
    np.testing.assert_array_equal(field[0].numpy(), field_pixel_by_pixel(41, 56, draws, limits))


def test_fields_are_of_whole_pixels_and_mild_ones_are_milder():
    fields = {
        limits: torch.cat([sample_motion_field((100, 150), seeded(s), limits) for s in range(40)])
        for limits in (STRONG_MOTION, MILD_MOTION)
    }
    for field in fields.values():
        torch.testing.assert_close(field, field.round(), rtol=0, atol=0)
    assert fields[MILD_MOTION].abs().mean() < 0.8 * fields[STRONG_MOTION].abs().mean()


@pytest.mark.parametrize("motion", [(0, 0), (1, 0), (9, 4), (-7, 12), (0, -5), (3, 3), (2, 1), (14, -13), (0.4, 2.7)])
def test_convention_a_constant_field_is_the_linear_kernel_right_and_down(motion):
    right, down = motion
    image = noise_image(33, 40)
    field = torch.tensor([right, down], dtype=torch.float32).view(1, 2, 1, 1).expand(1, 2, 33, 40)
    kernel = linear_kernel(max(1.0, math.hypot(right, down)), math.degrees(math.atan2(-down, right)))
    torch.testing.assert_close(
        blur_by_motion_field(image, field), convolve(image, kernel, "replicate"), rtol=0, atol=1e-5
    )


def test_where_the_motion_varies_each_pixel_has_its_own_kernel():
    image = noise_image(48, 52)
    field = sample_motion_field((48, 52), seeded(5))
    blurred = blur_by_motion_field(image, field)
    for row, column in [(0, 0), (20, 31), (47, 51), (13, 2), (30, 25)]:
        right, down = field[0, :, row, column].tolist()
        kernel = linear_kernel(max(1.0, math.hypot(right, down)), math.degrees(math.atan2(-down, right)))
        alone = convolve(image, kernel, "replicate")[..., row, column]
        torch.testing.assert_close(blurred[..., row, column], alone, rtol=0, atol=1e-5)


def test_light_is_kept_and_the_direction_along_a_line_does_not_matter():
    field = sample_motion_field((40, 44), seeded(1))
    flat = torch.full((1, 1, 40, 44), 0.3)
    torch.testing.assert_close(blur_by_motion_field(flat, field), flat, rtol=0, atol=1e-6)
    image = noise_image(40, 44)
    halved = right_half(field)
    assert (halved[:, 0] >= 0).all()
    torch.testing.assert_close(right_half(halved), halved, rtol=0, atol=0)
    torch.testing.assert_close(
        blur_by_motion_field(image, halved), blur_by_motion_field(image, field), rtol=0, atol=1e-5
    )


def test_a_batch_is_blurred_picture_by_picture():
    images = torch.cat([noise_image(20, 24), noise_image(20, 24).flip(-1)])
    fields = torch.cat([sample_motion_field((20, 24), seeded(s), MILD_MOTION) for s in (1, 2)])
    both = blur_by_motion_field(images, fields)
    for i in range(2):
        alone = blur_by_motion_field(images[i : i + 1], fields[i : i + 1])
        torch.testing.assert_close(both[i : i + 1], alone, rtol=0, atol=1e-6)


def test_the_reach_is_half_the_largest_motion():
    field = torch.zeros(1, 2, 4, 4)
    field[0, :, 1, 2] = torch.tensor([-9.0, 4.0])
    assert largest_reach(field) == (2, 4)


@pytest.mark.usefixtures("wrong_shapes")
def test_a_field_of_another_size_is_refused():
    with pytest.raises(ShapeError, match="one batch, height and width"):
        blur_by_motion_field(noise_image(8, 8), torch.zeros(1, 2, 8, 9))
