import numpy as np
import pytest
import torch
from scipy import signal

from unblur.blur.kernels import linear_kernel
from unblur.blur.trajectories import sample_motion_kernel
from unblur.metrics.kernel import kernel_rmse_upto_shift, kernel_similarity_upto_shift
from unblur.metrics.residual import spectral_error, squared_error


def shake(seed: int, size: int = 21) -> torch.Tensor:
    return sample_motion_kernel(size, torch.Generator().manual_seed(seed), length=(18, 18))


def test_a_shifted_kernel_is_the_same_kernel():
    kernel = shake(0)
    moved = torch.nn.functional.pad(kernel, (9, 1, 0, 12))
    assert kernel_similarity_upto_shift(moved, kernel).item() == pytest.approx(1, abs=1e-9)
    assert kernel_rmse_upto_shift(moved, kernel).item() == pytest.approx(0, abs=1e-7)


def test_similarity_and_rmse_equal_brute_force():
    for seed in range(5):
        a, b = shake(seed), shake(seed + 50, 15)
        inner = signal.correlate2d(a[0, 0].double().numpy(), b[0, 0].double().numpy()).max()
        norms = np.linalg.norm(a.double().numpy()) * np.linalg.norm(b.double().numpy())
        assert kernel_similarity_upto_shift(a, b).item() == pytest.approx(inner / norms, rel=1e-9)

        canvas = torch.zeros(75, 75, dtype=torch.float64)
        canvas[30:45, 30:45] = b[0, 0]
        least = min(
            float((canvas - torch.nn.functional.pad(a[0, 0].double(), (x, 54 - x, y, 54 - y))).square().sum())
            for x in range(55)
            for y in range(55)
        )
        assert kernel_rmse_upto_shift(a, b).item() == pytest.approx((least / 45**2) ** 0.5, rel=1e-9)


def test_rotation_counts_only_where_asked():
    kernel = shake(7)
    turned = kernel.flip(-2, -1)
    assert kernel_similarity_upto_shift(turned, kernel).item() < 0.95
    assert kernel_similarity_upto_shift(turned, kernel, either_orientation=True).item() == pytest.approx(1, abs=1e-9)


def test_convention_kernel_measures_are_one_number_a_kernel():
    found = torch.cat([shake(s) for s in range(3)])
    true = torch.cat([shake(0)] * 3)
    for measure in (kernel_rmse_upto_shift, kernel_similarity_upto_shift):
        values = measure(found, true)
        assert values.shape == (3,)
        torch.testing.assert_close(values[1:2], measure(found[1:2], true[1:2]))


def test_unlike_kernels_are_unlike():
    assert kernel_similarity_upto_shift(linear_kernel(21, 0), linear_kernel(21, 90)).item() < 0.2


@pytest.mark.parametrize("shape", [(2, 1, 20, 30), (2, 3, 30, 20)])
def test_errors_equal_numpy(shape):
    generator = torch.Generator().manual_seed(0)
    restored, sharp = torch.rand(shape, generator=generator), torch.rand(shape, generator=generator)
    difference = (restored.double() - sharp.double()).numpy()
    np.testing.assert_allclose(squared_error(restored, sharp), (difference**2).sum((1, 2, 3)))
    expected = [np.linalg.norm(np.concatenate(list(d), axis=1), 2) for d in difference]
    np.testing.assert_allclose(spectral_error(restored, sharp), expected)
