import cv2
import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.metrics import structural_similarity

from unblur.errors import ImageError, ShapeError, UsageError
from unblur.images.files import read_image
from unblur.images.working import to_working
from unblur.metrics.alignment import align_pair
from unblur.metrics.catalog import METRICS, find_metrics, measure
from unblur.metrics.homography import align_by_homography
from unblur.metrics.motion import motion_field_error
from unblur.metrics.ms_ssim import ms_ssim_gaussian_valid
from unblur.metrics.psnr import psnr
from unblur.metrics.score import score
from unblur.metrics.ssim import ssim_3d_matlab


def photo(seed: int = 0, height: int = 200, width: int = 260, channels: int = 3) -> torch.Tensor:
    noise = np.random.default_rng(seed).random((1, channels, height, width))
    image = sum(ndimage.gaussian_filter(noise, (0, 0, s, s)) * s for s in (1.5, 4, 12))
    return torch.from_numpy((image - image.min()) / np.ptp(image)).float()


HOMOGRAPHY = np.array([[1.004, 0.003, 1.7], [-0.002, 0.997, -2.3], [4e-6, -3e-6, 1]])


def warped(image: torch.Tensor, gain: float) -> torch.Tensor:
    """What another camera sees: by splines of order 5, not by the code under test."""
    height, width = image.shape[-2:]
    y, x = np.mgrid[:height, :width].astype(float)
    across, down, scale = np.tensordot(HOMOGRAPHY, np.stack([x, y, np.ones_like(x)]), 1)
    places = (down / scale, across / scale)
    planes = [ndimage.map_coordinates(plane.double().numpy(), places, order=5, mode="mirror") for plane in image[0]]
    return torch.from_numpy(np.stack(planes))[None].float() * gain


@pytest.mark.parametrize("channels", [1, 3])
def test_realblur_undoes_a_homography_and_a_gain(channels):
    sharp = photo(channels=channels)
    other = warped(sharp, 0.8)
    assert score(other, sharp, "plain").psnr.item() < 25
    result = score(other, sharp, "realblur")
    assert result.psnr.item() >= 40
    assert result.ssim.item() > 0.99
    centre = HOMOGRAPHY @ [(260 - 1) / 2, (200 - 1) / 2, 1]
    expected = centre[:2] / centre[2] - [(260 - 1) / 2, (200 - 1) / 2]
    np.testing.assert_allclose(result.shift[0], -expected, atol=0.05)


def test_realblur_recovers_a_real_photo(data_folder):
    path = data_folder / "train" / "kodak" / "kodim23.png"
    sharp = torch.from_numpy(to_working(read_image(path)).transpose(2, 0, 1).copy())[None]
    assert score(warped(sharp, 0.85).clamp(0, 1), sharp, "realblur").psnr.item() >= 40


def test_realblur_scores_equal_the_published_script():
    """PSNR and SSIM as the script that the RealBlur and MPRNet repositories share computes them."""
    sharp = photo()
    other = (warped(sharp, 0.9) + 0.02 * torch.randn(sharp.shape, generator=torch.Generator().manual_seed(0))).clamp(
        0, 1
    )
    x, z = (image[0].permute(1, 2, 0).contiguous().numpy() for image in (sharp, other))
    zs = (np.sum(x * z) / np.sum(z * z)) * z
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 0)
    _, warp = cv2.findTransformECC(
        cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), cv2.cvtColor(zs, cv2.COLOR_RGB2GRAY), np.eye(3, dtype=np.float32),
        cv2.MOTION_HOMOGRAPHY, criteria, None, 5,
    )  # fmt: skip
    size, inverse = (x.shape[1], x.shape[0]), cv2.WARP_INVERSE_MAP
    zr = cv2.warpPerspective(zs, warp, size, flags=cv2.INTER_CUBIC + inverse, borderMode=cv2.BORDER_REFLECT)
    cr = cv2.warpPerspective(np.ones_like(x), warp, size, flags=cv2.INTER_NEAREST + inverse)
    error = np.sum((x * cr - zr * cr) ** 2, dtype=np.float64) / np.sum(cr)
    _, full = structural_similarity(
        x * cr, zr * cr, channel_axis=2, gaussian_weights=True, use_sample_covariance=False, data_range=1.0, full=True
    )
    inside = (slice(5, -5), slice(5, -5))
    ssim = ((full * cr)[inside].sum((0, 1)) / cr[inside].sum((0, 1))).mean()
    result = score(other, sharp, "realblur")
    assert result.psnr.item() == pytest.approx(10 * np.log10(1 / error), abs=1e-3)
    assert result.ssim.item() == pytest.approx(ssim, abs=1e-4)


def test_realblur_tells_of_a_pair_that_has_nothing_in_common():
    with pytest.raises(ImageError, match="no homography fits"):
        align_by_homography(torch.zeros(1, 3, 64, 64), photo()[..., :64, :64])


def test_gopro_rounds_to_grey_levels_and_takes_matlabs_ssim():
    sharp = (photo() * 255).round() / 255
    restored = (sharp + 0.4 / 255 + (torch.arange(260) % 7 == 0) * 0.1).clamp(-1, 2)
    rounded = (restored.clamp(0, 1) * 255).round() / 255
    result = score(restored, sharp, "gopro")
    assert result.psnr.item() == psnr(rounded, sharp, data_range=1.0).item()
    assert result.ssim.item() == ssim_3d_matlab(rounded, sharp, data_range=1.0).item()
    assert score(sharp + 0.4 / 255, sharp, "gopro").psnr.item() == float("inf")


def test_kohler_takes_the_closest_view_after_gain_and_shift():
    views = [photo(seed, 210, 220) for seed in range(4)]
    moved = torch.roll(views[2], (2, -3), (2, 3)) * 0.9
    result = score(moved, views[1], "kohler", views)
    assert result.shift.tolist() == [[-3, 2]]
    assert result.psnr.item() > 40
    pair = align_pair(moved, views[1], "kohler", views)
    torch.testing.assert_close(pair.sharp, views[2][..., 15:-15, 15:-15])
    expected = ms_ssim_gaussian_valid(pair.restored, pair.sharp, data_range=1.0)
    assert result.ssim.item() == expected.item()
    assert score(moved, views[1], "kohler").psnr.item() < 25


def test_other_sizes_only_where_something_is_aligned():
    small, large = photo(0, 210, 220), photo(0, 210, 221)
    for protocol in ("gopro", "realblur"):
        with pytest.raises(ShapeError, match="of one shape"):
            score(small, large, protocol)
    assert score(small, large, "kohler").psnr.shape == (1,)


def test_motion_fields_are_compared_whichever_way_time_runs():
    true = torch.tensor([3.0, -4.0])[None, :, None, None].expand(2, 2, 6, 8)
    for found in (true, -true, true[..., ::2, ::2] / 40):
        scale = 1.0 if found.shape == true.shape else 40.0
        torch.testing.assert_close(motion_field_error(found, true, scale=scale), torch.zeros(2, dtype=torch.float64))
    half = motion_field_error(true / 40, true, scale=20.0)
    torch.testing.assert_close(half, torch.full((2,), (1.5**2 + 2**2) / 2, dtype=torch.float64))
    mixed = true.clone()
    mixed[..., :3, :] *= -1  # the sign is free at every pixel
    torch.testing.assert_close(motion_field_error(mixed, true, scale=1.0), torch.zeros(2, dtype=torch.float64))


@pytest.mark.parametrize("name", sorted(set(METRICS) - {"lpips", "dists"}))
def test_every_metric_of_the_catalogue_ranks_blur_as_worse(name):
    sharp = photo(3)
    pairs = [torch.from_numpy(ndimage.gaussian_filter(sharp.numpy(), (0, 0, s, s))) for s in (0.6, 3)]
    slight, strong = (measure(name, align_pair(image, sharp, "plain"), image) for image in pairs)
    assert slight.shape == (1,)
    assert (slight > strong).item() == (METRICS[name].better == "higher")


@pytest.mark.parametrize("name", ["lpips", "dists"])
def test_perceptual_metrics_say_what_they_miss(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    sharp = photo()
    with pytest.raises(UsageError, match=r"needs torch\w+.*(unblur\[metrics\]|nothing is downloaded)"):
        measure(name, align_pair(sharp, sharp, "plain"), sharp)


def test_unknown_metrics_are_refused():
    assert find_metrics(["niqe", "ssim_y", "niqe"]) == ("niqe", "ssim_y")
    with pytest.raises(UsageError, match="no metric 'beauty' to add; choose among: psnr_y"):
        find_metrics(["beauty"])
