import numpy as np
import pytest
import torch
from scipy import ndimage

from unblur.errors import ShapeError, UsageError
from unblur.metrics.alignment import align_pair
from unblur.metrics.score import score
from unblur.metrics.shift import align_by_shift, shift_errors


def smooth(*shape: int, seed: int = 0) -> torch.Tensor:
    noise = np.random.default_rng(seed).random(shape)
    image = ndimage.gaussian_filter(noise, (0,) * (len(shape) - 2) + (2, 2))
    return torch.from_numpy((image - image.min()) / np.ptp(image)).float()


def shifted(image: torch.Tensor, right: float, down: float) -> torch.Tensor:
    planes = [ndimage.shift(p.double().numpy(), (down, right), order=3, mode="mirror") for p in image.flatten(0, 1)]
    return torch.from_numpy(np.stack(planes)).reshape(image.shape).float()


def brute_force(restored: np.ndarray, sharp: np.ndarray, reach: int) -> np.ndarray:
    """Every shift sampled and compared, as the definition says; row: right, column: down."""
    fixed = sharp[:, 15:-15, 15:-15]
    rows, columns = np.mgrid[15 : sharp.shape[1] - 15, 15 : sharp.shape[2] - 15]
    steps = np.arange(-reach, reach + 0.25, 0.25)
    errors = np.empty((len(steps), len(steps)))
    for i, right in enumerate(steps):
        for j, down in enumerate(steps):
            place = (rows + down, columns + right)
            sampled = np.stack([ndimage.map_coordinates(plane, place, order=1) for plane in restored])
            errors[i, j] = ((sampled - fixed) ** 2).sum()
    return errors


@pytest.mark.parametrize(("channels", "height", "width", "reach"), [(1, 47, 44, 5), (3, 41, 46, 5), (1, 40, 41, 10)])
def test_all_errors_equal_brute_force(channels, height, width, reach):
    sharp, restored = smooth(channels, height, width).double(), smooth(channels, height, width, seed=1).double()
    first, last = 15 - reach, 15 - reach - 1
    errors = shift_errors(restored[:, first:-last, first:-last], sharp[:, 15:-15, 15:-15], reach)
    np.testing.assert_allclose(errors, brute_force(restored.numpy(), sharp.numpy(), reach), rtol=1e-9)


@pytest.mark.parametrize("planted", [(0.0, 0.0), (1.25, -2.5), (-3.75, 4.0), (4.75, 0.5), (7.25, -9.5)])
def test_a_planted_shift_is_found(planted):
    sharp = smooth(1, 3, 80, 90)
    aligned = align_by_shift(shifted(sharp, *planted), sharp)
    assert aligned.shift.tolist() == [list(planted)]
    result = score(shifted(sharp, *planted), sharp, "shift")
    assert result.shift.tolist() == [list(planted)]
    assert result.psnr.item() > 36
    assert result.ssim.item() > 0.97


def test_the_aligned_pair_has_the_least_error():
    sharp = smooth(1, 1, 60, 61)
    restored = (shifted(sharp, 1.3, -0.6) + 0.05 * smooth(1, 1, 60, 61, seed=1)).float()
    least = brute_force(restored[0].double().numpy(), sharp[0].double().numpy(), 5).min()
    assert score(restored, sharp, "shift").squared_error.item() == pytest.approx(least, rel=1e-4)


def test_on_ties_the_first_shift_wins():
    flat = torch.full((1, 1, 60, 60), 0.3)
    assert align_by_shift(flat, flat).shift.tolist() == [[-10, -10]]


def test_images_of_one_batch_are_aligned_each_for_itself():
    sharp = smooth(1, 1, 70, 70).repeat(2, 1, 1, 1)
    moved = torch.cat([shifted(sharp[:1], 2, 1), shifted(sharp[1:], -1.5, 0)])
    assert align_by_shift(moved, sharp).shift.tolist() == [[2, 1], [-1.5, 0]]


def test_other_sizes_are_compared_about_their_centres():
    restored = smooth(1, 1, 91, 85)
    sharp = restored[..., 3:-4, 2:-3]
    assert align_by_shift(restored, sharp).shift.tolist() == [[0, 0]]
    assert align_by_shift(sharp, restored).shift.tolist() == [[0, 0]]


def test_plain_compares_the_whole_frame():
    sharp = smooth(1, 3, 40, 50)
    restored = sharp.clone()
    restored[..., 0, 0] += 0.5
    result = score(restored, sharp, "plain")
    assert result.squared_error.item() == pytest.approx(0.75)
    assert result.psnr.item() == pytest.approx(10 * np.log10(3 * 40 * 50 / 0.75))
    assert result.shift.tolist() == [[0, 0]]


@pytest.mark.usefixtures("wrong_shapes")
def test_pairs_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="leaves nothing of 50x30"):
        score(torch.zeros(1, 1, 30, 50), torch.zeros(1, 1, 30, 50), "shift")
    with pytest.raises(ShapeError, match="of one shape"):
        score(torch.zeros(1, 1, 50, 50), torch.zeros(1, 3, 50, 50), "shift")
    with pytest.raises(ShapeError, match="of one shape"):
        score(torch.zeros(1, 1, 50, 50), torch.zeros(1, 1, 50, 51), "plain")
    with pytest.raises(UsageError, match="no protocol 'aligned'"):
        score(torch.zeros(1, 1, 50, 50), torch.zeros(1, 1, 50, 50), "aligned")


@pytest.mark.parametrize(("right", "down"), [(0.0, 0.0), (2.5, -1.25), (23.0, -31.0), (-38.25, 17.5)])
def test_wide_shifts_are_undone(right, down):
    sharp = smooth(1, 1, 260, 280)
    moved = shifted(sharp, right, down)
    pair = align_pair(moved, sharp, "wide-shift")
    assert pair.shift[0].tolist() == pytest.approx([right, down], abs=0.25)
    assert float(score(moved, sharp, "wide-shift").psnr) > 45


def test_wide_shift_is_shift_where_nothing_lies_far_away():
    sharp, other = smooth(1, 3, 260, 280), smooth(1, 3, 260, 280, seed=4)
    blend = sharp + 0.01 * other
    assert float(score(blend, sharp, "wide-shift").psnr) == float(score(blend, sharp, "shift").psnr)
    small = smooth(1, 1, 64, 64)
    assert torch.equal(align_pair(small, small, "wide-shift").restored, align_pair(small, small, "shift").restored)
