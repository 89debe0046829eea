"""The width of edges of planted blur, the scale that follows, and what comes back to the full size."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from unblur.errors import SettingsError
from unblur.methods.apply import restore_tensor
from unblur.methods.backbone.settings import MaximSettings
from unblur.methods.base import Restoration, Traits
from unblur.methods.options import RestoreOptions
from unblur.methods.transforms import Shrink
from unblur.methods.working_scale import choose_scale, measure_edge_width

SIDE = 512


def blocks() -> Tensor:
    """Flat squares of 64 pixels in random greys: steps, and nothing between them."""
    greys = torch.rand(1, 1, SIDE // 64, SIDE // 64, generator=torch.Generator().manual_seed(3))
    return functional.interpolate(greys, SIDE).expand(-1, 3, -1, -1)


def moved(image: Tensor, length: int, axis: int) -> Tensor:
    """Means over so many pixels along one axis."""
    size = (length, 1) if axis == 2 else (1, length)
    padded = functional.pad(image, (size[1] // 2, (size[1] - 1) // 2, size[0] // 2, (size[0] - 1) // 2), "replicate")
    return functional.avg_pool2d(padded, size, 1)


@pytest.mark.parametrize("axis", [2, 3])
def test_width_grows_with_the_motion_along_its_direction(axis):
    noise = 0.01 * torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    widths = [measure_edge_width(moved(blocks(), length, axis) + noise) for length in (1, 8, 16, 32)]
    assert widths == sorted(widths)
    assert widths[0] < 6
    assert widths[3] > 2 * widths[0]


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (95, 95)])
def test_nothing_is_measured_on_few_pixels(size):
    assert measure_edge_width(torch.rand(1, 3, *size)) == 4


def test_nothing_is_measured_without_edges():
    assert measure_edge_width(torch.full((1, 1, 256, 256), 0.3)) == 4


def test_scale_follows_the_blur_and_the_size():
    assert choose_scale(blocks(), SIDE**2) == 1
    assert choose_scale(blocks(), SIDE**2 // 4) == 0.5
    assert choose_scale(moved(blocks(), 32, 3), SIDE**2) <= 0.5


def test_an_unchanged_small_photo_leaves_the_photo_as_it_is():
    photo = torch.rand(2, 3, 50, 70)
    step = Shrink(photo, (25, 35))
    assert step.forward(photo).shape == (2, 3, 25, 35)
    assert torch.equal(step.backward(step.forward(photo)), photo)


def test_a_change_is_added_at_full_size_beside_the_detail():
    """A brighter small photo is a brighter photo with the same detail."""
    photo = torch.rand(1, 3, 50, 70)
    step = Shrink(photo, (25, 35))
    assert torch.allclose(step.backward(step.forward(photo) + 0.1), photo + 0.1, atol=1e-6)


def test_fields_are_in_pixels_of_the_photo():
    step = Shrink(torch.rand(1, 3, 48, 80), (24, 20))
    field = step.backward_field(torch.ones(1, 2, 24, 20))
    assert field.shape == (1, 2, 48, 80)
    assert torch.allclose(field.mean((2, 3)), torch.tensor([[4.0, 2.0]]), atol=1e-5)


class Halved:
    """Sees a photo at half size and makes it darker."""

    settings = None
    traits = Traits(channels="rgb", size_multiple=8, scale_for=lambda _: 0.5)

    def __init__(self) -> None:
        self.sizes: list[torch.Size] = []

    def restore(self, blurry, options, on_step) -> Restoration[Tensor]:
        self.sizes.append(blurry.shape)
        return Restoration(image=blurry - 0.125)


def test_whoever_learns_through_it_gets_a_gradient():
    blurry = torch.rand(1, 3, 128, 128, requires_grad=True)
    assert choose_scale(blurry, 1000) < 1
    step = Shrink(blurry, (64, 64))
    (2 * step.backward(step.forward(blurry))).sum().backward()
    assert torch.allclose(blurry.grad, torch.full_like(blurry, 2), atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_method_works_at_its_scale(channels):
    method = Halved()
    blurry = 0.3 + 0.4 * torch.rand(1, channels, 40, 61)
    answer = restore_tensor(blurry, method, RestoreOptions())
    assert method.sizes == [(1, 3, 24, 32)]
    assert answer.facts["restored_at"] == (20, 30)
    assert torch.allclose(answer.image, blurry - 0.125, atol=1e-5)


@pytest.mark.parametrize("wrong", [{"scale": -0.1}, {"scale": 1.5}, {"pixels": 0}])
def test_wrong_settings(wrong):
    with pytest.raises(SettingsError):
        MaximSettings(**wrong)
