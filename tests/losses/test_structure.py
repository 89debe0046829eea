import pytest
import torch
from torch import Tensor

from filled import wave_image
from unblur.errors import ShapeError
from unblur.losses.structure import ms_ssim_loss, ssim_loss
from unblur.metrics.ms_ssim import ms_ssim_gaussian_valid
from unblur.metrics.ssim import ssim_gaussian_padded, ssim_gaussian_valid


def noisy(image: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return (image + 0.1 * torch.randn(image.shape, generator=generator, dtype=image.dtype)).clamp(0, 1)


def test_it_is_the_metric_where_five_sizes_fit():
    sharp = wave_image(180)
    expected = 1 - ms_ssim_gaussian_valid(noisy(sharp), sharp, data_range=1.0)
    assert torch.allclose(ms_ssim_loss(noisy(sharp), sharp), expected, atol=1e-9)


def test_small_images_are_compared_at_fewer_sizes():
    sharp = wave_image(20)
    similarity = ssim_gaussian_valid(noisy(sharp), sharp, data_range=1.0)
    means = 1 - ms_ssim_loss(noisy(sharp), sharp)
    assert float(means) == pytest.approx(float(similarity), abs=0.02)
    with pytest.raises(ShapeError, match="windows of 11 pixels"):
        ms_ssim_loss(sharp[..., :10], sharp[..., :10])


def test_equal_images_have_no_distance():
    assert ms_ssim_loss(wave_image(), wave_image()).abs().max() < 1e-12


def test_the_released_code_counts_the_coarsest_size_more():
    sharp = wave_image(180)
    assert ms_ssim_loss(noisy(sharp), sharp, repeat_coarsest=True) > ms_ssim_loss(noisy(sharp), sharp)


def test_opposite_structure_still_has_a_gradient():
    sharp = wave_image(48)
    opposite = (1 - sharp).requires_grad_()
    ms_ssim_loss(opposite, sharp).sum().backward()
    assert opposite.grad is not None
    assert opposite.grad.isfinite().all()


@pytest.mark.parametrize(("dtype", "nearly"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
def test_the_loss_of_one_scale_is_that_of_the_metric(dtype, nearly):
    generator = torch.Generator().manual_seed(0)
    sharp = torch.rand(2, 3, 40, 57, generator=generator, dtype=dtype)
    restored = (sharp + 0.1 * torch.randn(sharp.shape, generator=generator, dtype=dtype)).clamp(0, 1)
    slopes = []
    for loss in (
        ssim_loss,
        lambda one, other: 1 - ssim_gaussian_padded(one, other, data_range=1.0, border="zeros"),
    ):
        watched = restored.clone().requires_grad_()
        values = loss(watched, sharp)
        values.sum().backward()
        slopes.append((values.detach(), watched.grad))
    torch.testing.assert_close(slopes[0][0], slopes[1][0], atol=nearly, rtol=0)
    torch.testing.assert_close(slopes[0][1], slopes[1][1], atol=nearly, rtol=0)


def test_half_precision_around_the_loss_changes_nothing():
    sharp = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    plain = ssim_loss(sharp.flip(-1), sharp)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(ssim_loss(sharp.flip(-1), sharp), plain)
