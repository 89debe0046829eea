import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from unblur.errors import ShapeError
from unblur.metrics.psnr import psnr
from unblur.metrics.ssim import ssim_gaussian_valid, ssim_gaussian_valid_subsampled


def random_pairs(count: int, channels: int = 3):
    for seed in range(count):
        generator = np.random.default_rng(seed)
        height, width = generator.integers(24, 90, 2)
        sharp = ndimage.gaussian_filter(generator.random((channels, height, width)), (0, 1, 1))
        sharp = (sharp - sharp.min()) / np.ptp(sharp)
        noise = generator.uniform(0.001, 0.2)
        restored = np.clip(sharp + noise * generator.standard_normal(sharp.shape), 0, 1)
        yield restored.astype(np.float32), sharp.astype(np.float32)


def as_batch(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image)[None]


def test_psnr_equals_scikit_image():
    for restored, sharp in random_pairs(20):
        expected = peak_signal_noise_ratio(sharp, restored, data_range=1.0)
        assert psnr(as_batch(restored), as_batch(sharp), data_range=1.0).item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_equals_scikit_image(channels):
    for restored, sharp in random_pairs(20, channels):
        _, full = structural_similarity(
            sharp, restored, channel_axis=0, data_range=1.0, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False, full=True,
        )  # fmt: skip
        expected = full[:, 5:-5, 5:-5].mean()
        found = ssim_gaussian_valid(as_batch(restored), as_batch(sharp), data_range=1.0)
        assert found.item() == pytest.approx(expected, abs=1e-4)


def test_convention_scores_are_one_number_an_image():
    pairs = [(r[:, :24, :24], s[:, :24, :24]) for r, s in random_pairs(3)]
    restored, sharp = (torch.from_numpy(np.stack(images)) for images in zip(*pairs, strict=True))
    for metric in (psnr, ssim_gaussian_valid, ssim_gaussian_valid_subsampled):
        together = metric(restored, sharp, data_range=1.0)
        alone = torch.cat([metric(restored[i : i + 1], sharp[i : i + 1], data_range=1.0) for i in range(3)])
        assert together.shape == (3,)
        torch.testing.assert_close(together, alone, atol=1e-6, rtol=1e-6)


def test_convention_data_range_scales_with_the_images():
    restored, sharp = (as_batch(i) for i in next(random_pairs(1)))
    for metric in (psnr, ssim_gaussian_valid):
        torch.testing.assert_close(
            metric(255 * restored, 255 * sharp, data_range=255.0), metric(restored, sharp, data_range=1.0),
            atol=1e-4, rtol=1e-5,
        )  # fmt: skip


def test_equal_images():
    sharp = as_batch(next(random_pairs(1))[1])
    assert psnr(sharp, sharp, data_range=1.0).item() == math.inf
    assert ssim_gaussian_valid(sharp, sharp, data_range=1.0).item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("side", "factor"), [(383, 1), (384, 2), (700, 3)])
def test_subsampling_equals_matlabs_filter(side, factor):
    generator = torch.Generator().manual_seed(0)
    sharp = torch.rand(1, 1, side, side + 11, generator=generator, dtype=torch.float64)
    restored = (sharp + 0.1 * torch.randn(sharp.shape, generator=generator)).clamp(0, 1)

    def shrink(image: torch.Tensor) -> torch.Tensor:
        # imfilter's window of an even size reaches one further below; scipy's reaches one further above
        origin = -1 if factor % 2 == 0 else 0
        filtered = ndimage.uniform_filter(image[0, 0].numpy(), factor, mode="reflect", origin=origin)
        return torch.from_numpy(filtered[::factor, ::factor].copy())[None, None]

    expected = ssim_gaussian_valid(shrink(restored), shrink(sharp), data_range=1.0)
    found = ssim_gaussian_valid_subsampled(restored, sharp, data_range=1.0)
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)


def test_ssim_of_a_tiny_image_is_refused():
    with pytest.raises(ShapeError, match="11 pixels on each side, not 12x10"):
        ssim_gaussian_valid(torch.zeros(1, 1, 10, 12), torch.zeros(1, 1, 10, 12), data_range=1.0)
