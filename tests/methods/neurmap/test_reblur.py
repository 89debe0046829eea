import pytest
import torch

from filled import wave_image
from unblur.errors import ShapeError
from unblur.methods.neurmap.reblur import FixedReblur, offset_shares, reblur


def test_reference():
    places = torch.arange(64, dtype=torch.float64)
    down = (0.3 * torch.sin(0.1 * places))[:, None].expand(64, 64)
    right = (0.2 + 0.1 * torch.cos(0.05 * places)).expand(64, 64)
    answer = reblur(wave_image(), torch.stack((down, right))[None])
    found = answer.mean(), answer.std(correction=0), answer[0, 0, 32, 32], answer[0, 1, 40, 20]
    assert [float(value) for value in found] == pytest.approx(
        [0.45087310, 0.32401736, 0.16426488, 0.14831554], abs=1e-6, rel=0
    )


def test_no_motion_no_change():
    image = wave_image(16)
    assert torch.allclose(reblur(image, torch.zeros(1, 2, 16, 16).double()), image, atol=1e-12)


def test_half_precision_still_tells_pixels_apart():
    image, motion = torch.rand(1, 1, 8, 400), torch.full((1, 2, 8, 400), 0.25)
    rounded = image.bfloat16()
    assert torch.allclose(reblur(rounded, motion.bfloat16()), reblur(rounded.float(), motion), atol=1e-6)


def test_whole_pixels_are_shifted_copies():
    """0.7 to each side are 14 pixels in steps of 2, inside a pattern with the period 8."""
    image = wave_image(64)[..., :8, :8].tile(8, 8)
    motion = torch.tensor([0.0, 0.7], dtype=torch.float64).view(1, 2, 1, 1).expand(1, 2, 64, 64)
    copies = torch.stack([image.roll(-round(14 * share), -1) for share in offset_shares()]).mean(0)
    assert torch.allclose(reblur(image, motion)[..., 16:-16], copies[..., 16:-16], atol=1e-9)


@pytest.mark.parametrize("outside", ["black", "border"])
def test_a_fixed_motion_reblurs_as_any(outside):
    image, motion = wave_image(24), 0.3 * wave_image(24)[:, :2]
    again = FixedReblur(motion)(image, outside=outside)
    torch.testing.assert_close(again, reblur(image, motion, outside=outside))


def test_fewer_moments_lie_evenly_on_the_line():
    assert offset_shares(3) == [1.0, 0.0, -1.0]
    assert offset_shares(4) == pytest.approx([1.0, 1 / 3, -1 / 3, -1.0])
    ramp = torch.arange(40.0).expand(1, 1, 8, 40)  # even lines over a slope have the value of their middle
    motion = torch.tensor([0.0, 0.5]).view(1, 2, 1, 1).expand(1, 2, 8, 40)
    torch.testing.assert_close(FixedReblur(motion, 8)(ramp)[..., 10:-10], ramp[..., 10:-10])


def test_a_fixed_motion_that_changes_slowly_has_almost_the_exact_gradient():
    rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    motion = torch.stack((0.1 + 0.001 * columns, 0.1 + 0.002 * rows))[None]
    weight, slopes = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0)), []
    for blur in (FixedReblur(motion), lambda image: reblur(image, motion)):
        image = torch.zeros(1, 3, 48, 64, requires_grad=True)
        (slope,) = torch.autograd.grad((weight * blur(image)).sum(), image)
        slopes.append(slope)
    found, exact = slopes
    assert (found - exact).norm() < 0.1 * exact.norm()


def test_gradients():
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 1, 6, 6, dtype=torch.float64, generator=generator).requires_grad_()
    motion = (0.05 * torch.rand(1, 2, 6, 6, dtype=torch.float64, generator=generator) + 0.01).requires_grad_()
    assert torch.autograd.gradcheck(reblur, (image, motion))


def test_beyond_the_border_there_is_black_or_the_border():
    image, motion = torch.ones(1, 1, 24, 24), torch.full((1, 2, 24, 24), 0.2)
    assert reblur(image, motion)[0, 0, 0, 0] < 0.6
    torch.testing.assert_close(reblur(image, motion, outside="border"), image)


@pytest.mark.usefixtures("wrong_shapes")
def test_shapes_are_checked():
    with pytest.raises(ShapeError, match="one batch, height and width"):
        reblur(torch.rand(1, 3, 8, 8), torch.rand(1, 2, 8, 9))
