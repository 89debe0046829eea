import pytest
import torch
from torch import Tensor

from filled import wave_image
from unblur.errors import ShapeError
from unblur.losses.structure import ms_ssim_loss
from unblur.metrics.ms_ssim import ms_ssim_gaussian_valid
from unblur.metrics.ssim import ssim_gaussian_valid


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
