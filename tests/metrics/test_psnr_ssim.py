import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from unblur.errors import ShapeError
from unblur.metrics.luma import luma_matlab_studio
from unblur.metrics.ms_ssim import ms_ssim_gaussian_valid
from unblur.metrics.psnr import psnr, psnr_of_error, psnr_y_matlab, validation_psnr
from unblur.metrics.ssim import (
    ssim_3d_matlab,
    ssim_gaussian_padded,
    ssim_gaussian_valid,
    ssim_gaussian_valid_subsampled,
    ssim_uniform,
    ssim_y_matlab,
)

GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


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
        _, full = structural_similarity(sharp, restored, channel_axis=0, data_range=1.0, full=True, **GAUSSIAN)
        expected = full[:, 5:-5, 5:-5].mean()
        found = ssim_gaussian_valid(as_batch(restored), as_batch(sharp), data_range=1.0)
        assert found.item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_padded_ssim_equals_scikit_image(channels):
    for restored, sharp in random_pairs(20, channels):
        _, full = structural_similarity(sharp, restored, channel_axis=0, data_range=1.0, full=True, **GAUSSIAN)
        found = ssim_gaussian_padded(as_batch(restored), as_batch(sharp), data_range=1.0)
        assert found.item() == pytest.approx(full.mean(), abs=1e-4)


@pytest.mark.parametrize("data_range", [1.0, 2.0])
def test_uniform_ssim_equals_scikit_image(data_range):
    for restored, sharp in random_pairs(20):
        expected = structural_similarity(sharp, restored, channel_axis=0, data_range=data_range)
        found = ssim_uniform(as_batch(restored), as_batch(sharp), data_range=data_range)
        assert found.item() == pytest.approx(expected, abs=1e-4)


def test_scores_of_luma_equal_scikit_image():
    for restored, sharp in random_pairs(20):
        x, y = (rgb2ycbcr(image.transpose(1, 2, 0).astype(np.float64))[..., 0] / 255 for image in (restored, sharp))
        np.testing.assert_allclose(luma_matlab_studio(as_batch(sharp))[0, 0], y, atol=1e-5)
        batches = as_batch(restored), as_batch(sharp)
        assert psnr_y_matlab(*batches).item() == pytest.approx(peak_signal_noise_ratio(y, x, data_range=1), abs=1e-4)
        expected = structural_similarity(y, x, data_range=1.0, **GAUSSIAN)
        assert ssim_y_matlab(*batches).item() == pytest.approx(expected, abs=1e-4)


def structure_by_numpy(x: np.ndarray, y: np.ndarray, mean_around) -> tuple[np.ndarray, np.ndarray]:
    """Luminance, and contrast times structure, written down again from the paper."""
    mean_x, mean_y = mean_around(x), mean_around(y)
    variance_x, variance_y = mean_around(x**2) - mean_x**2, mean_around(y**2) - mean_y**2
    covariance = mean_around(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + 0.0001) / (mean_x**2 + mean_y**2 + 0.0001)
    return luminance, (2 * covariance + 0.0009) / (variance_x + variance_y + 0.0009)


@pytest.mark.parametrize(("border", "mode"), [("replicate", "nearest"), ("zeros", "constant")])
def test_padded_ssim_equals_numpy_with_other_borders(border, mode):
    def mean_around(values):
        return ndimage.gaussian_filter(values, (0, 1.5, 1.5), radius=(0, 5, 5), mode=mode)

    for restored, sharp in random_pairs(20):
        luminance, structure = structure_by_numpy(restored.astype(float), sharp.astype(float), mean_around)
        found = ssim_gaussian_padded(as_batch(restored), as_batch(sharp), data_range=1.0, border=border)
        assert found.item() == pytest.approx((luminance * structure).mean(), abs=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_matlabs_ssim_of_a_colour_image_is_that_of_a_volume(channels):
    def mean_around(values):
        return ndimage.gaussian_filter(values, 1.5, radius=5, mode="nearest")

    for restored, sharp in random_pairs(20, channels):
        luminance, structure = structure_by_numpy(restored.astype(float), sharp.astype(float), mean_around)
        found = ssim_3d_matlab(as_batch(restored), as_batch(sharp), data_range=1.0)
        assert found.item() == pytest.approx((luminance * structure).mean(), abs=1e-6)


@pytest.mark.parametrize("size", [(176, 200), (241, 189)])
def test_ms_ssim_equals_numpy(size):
    """As Wang's `msssim.m`: between scales a 2x2 mean and every second pixel, the border mirrored."""

    def inside(values):
        return ndimage.gaussian_filter(values, 1.5, radius=5)[5:-5, 5:-5]

    def halve(values):
        return ndimage.uniform_filter(values, 2, mode="reflect", origin=-1)[::2, ::2]

    generator = np.random.default_rng(0)
    y = ndimage.gaussian_filter(generator.random(size), 2)
    y = (y - y.min()) / np.ptp(y)
    x = np.clip(y + 0.1 * generator.standard_normal(size), 0, 1)
    restored, sharp = as_batch(x[None]), as_batch(y[None])
    expected = 1.0
    for weight in (0.0448, 0.2856, 0.3001, 0.2363, 0.1333):
        luminance, structure = structure_by_numpy(x, y, inside)
        expected *= (structure if weight != 0.1333 else luminance * structure).mean() ** weight
        x, y = halve(x), halve(y)
    assert ms_ssim_gaussian_valid(restored, sharp, data_range=1.0).item() == pytest.approx(expected, abs=1e-6)
    with pytest.raises(ShapeError, match="176 pixels"):
        ms_ssim_gaussian_valid(restored[..., :175, :], sharp[..., :175, :], data_range=1.0)


def test_psnr_of_an_error_and_its_limit():
    sharp = torch.full((2, 1, 4, 4), 0.5)
    assert psnr_of_error(torch.tensor([1e-4, 0.0]), limit=60.0).tolist() == pytest.approx([40, 60], abs=1e-4)
    assert psnr_of_error(torch.tensor(4.0), data_range=2.0).item() == 0
    assert psnr_of_error(torch.zeros(())).item() == float("inf")
    assert validation_psnr(sharp + torch.tensor([0.1, 0.0]).view(2, 1, 1, 1), sharp).tolist() == pytest.approx(
        [20, 60], abs=1e-4
    )


def test_convention_scores_are_one_number_an_image():
    pairs = [(r[:, :24, :24], s[:, :24, :24]) for r, s in random_pairs(3)]
    restored, sharp = (torch.from_numpy(np.stack(images)) for images in zip(*pairs, strict=True))
    metrics = (psnr, ssim_gaussian_valid, ssim_gaussian_valid_subsampled, ssim_gaussian_padded, ssim_uniform)
    for metric in (*metrics, ssim_3d_matlab):
        together = metric(restored, sharp, data_range=1.0)
        alone = torch.cat([metric(restored[i : i + 1], sharp[i : i + 1], data_range=1.0) for i in range(3)])
        assert together.shape == (3,)
        torch.testing.assert_close(together, alone, atol=1e-6, rtol=1e-6)


def test_convention_data_range_scales_with_the_images():
    restored, sharp = (as_batch(i) for i in next(random_pairs(1)))
    for metric in (psnr, ssim_gaussian_valid, ssim_uniform, ssim_3d_matlab):
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
