"""Kernels that lamps have drawn."""

import pytest
import torch

from planted import draw_picture, shake
from unblur.blur.convolve import convolve
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.methods.kernel_search.streaks import propose_streaks
from unblur.metrics.kernel import kernel_similarity_upto_shift

KERNEL = shake(21, 3, (25, 30))
_PLACES = ((60, 70), (150, 90), (70, 200))


def photograph(places, kernel=KERNEL, size=(220, 260)) -> torch.Tensor:
    """A dim scene with lamps at these places, in linear light, as the file of a camera holds it."""
    light = 0.15 * srgb_to_linear(draw_picture(*size, 4))
    for number, (row, column) in enumerate(places):
        light[..., row : row + 2, column : column + 2] += 12.0 + 4 * number
    return (linear_to_srgb(convolve(light, kernel, "replicate").clamp(0, 1)) * 255).round() / 255


def test_the_shape_that_lamps_share_is_the_kernel():
    proposed = list(propose_streaks(photograph(_PLACES)))
    assert proposed
    assert max(float(kernel_similarity_upto_shift(one, KERNEL)) for one in proposed) > 0.65
    for one in proposed:
        assert one.shape[-1] % 2 == 1
        assert float(one.sum()) == pytest.approx(1, abs=1e-5)
        assert float(one.min()) >= 0


@pytest.mark.parametrize("places", [(), _PLACES[:1]])
def test_one_lamp_is_no_witness(places):
    assert not list(propose_streaks(photograph(places)))


def test_lamps_at_the_border_and_bright_areas_are_left_out():
    photo = photograph([(2, 70), (120, 2), (218, 200)])
    photo[..., 80:, 100:220] = 1
    assert not list(propose_streaks(photo))


def test_what_is_alike_only_by_being_bright_is_left_out():
    """Two bars that cross each other's directions."""
    photo = torch.full((1, 1, 200, 200), 0.2)
    photo[..., 50:53, 40:90] = 1
    photo[..., 110:160, 140:143] = 1
    assert not list(propose_streaks(photo))
