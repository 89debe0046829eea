import pytest
import torch
from scipy.optimize import nnls

from planted import draw_picture, shake
from unblur.blur.convolve import convolve
from unblur.methods.kernel_search import kernel_step
from unblur.methods.kernel_search.kernel_step import (
    Gradients,
    fit_kernel,
    normal_equations,
    resize_kernel,
    tidy_kernel,
)
from unblur.metrics.kernel import kernel_similarity_upto_shift
from unblur.solvers.differences import differences

FAINTEST = torch.full((1, 1, 1, 1), 0.05)


def gradients_of(image: torch.Tensor) -> Gradients:
    return Gradients.of(*differences(image))


def fit_long(
    latent: torch.Tensor,
    blurry: torch.Tensor,
    side: int,
    weight: torch.Tensor | None = None,
    ridge: float = kernel_step.RIDGE,
) -> torch.Tensor:
    """Far more steps than a round takes: up to the minimum."""
    kernel = torch.full((1, 1, side, side), 1 / side**2, dtype=latent.dtype)
    size = (latent.shape[-2], latent.shape[-1])
    for _ in range(100):
        kernel = fit_kernel(gradients_of(latent), gradients_of(blurry), kernel, size, weight, ridge=ridge)
    return kernel


def test_a_planted_kernel_is_found_from_the_true_gradients():
    sharp, kernel = draw_picture(96, 96), shake(15, 2)
    found = fit_long(sharp, convolve(sharp, kernel, "circular"), 15)
    assert kernel_similarity_upto_shift(found, kernel) > 0.99
    # Ridge and smoothness take a little off the peak.
    torch.testing.assert_close(found / found.sum(), kernel, atol=0.2 * float(kernel.max()), rtol=0)


def test_one_round_goes_most_of_the_way():
    sharp, kernel = draw_picture(96, 96), shake(15, 2)
    start = torch.full_like(kernel, 1 / 15**2)
    blurry = gradients_of(convolve(sharp, kernel, "circular"))
    found = fit_kernel(gradients_of(sharp), blurry, start, (96, 96))
    assert kernel_similarity_upto_shift(found, kernel) > 0.85
    assert kernel_similarity_upto_shift(found, kernel) > kernel_similarity_upto_shift(start, kernel) + 0.2


def dense_problem(
    latent: torch.Tensor, blurry: torch.Tensor, side: int, ridge: float = kernel_step.RIDGE
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows and wanted values of the same least squares, written out without any Fourier transform."""
    reach = side // 2
    shifts = [(y - reach, x - reach) for y in range(side) for x in range(side)]
    data = torch.cat(
        [torch.stack([one.roll(shift, (-2, -1)).flatten() for shift in shifts], 1) for one in differences(latent)]
    )
    box = torch.zeros(side * side, 1, side + 2, side + 2, dtype=latent.dtype)
    box[..., 1:-1, 1:-1] = torch.eye(side * side, dtype=latent.dtype).view(-1, 1, side, side)
    smooth = torch.cat([one.flatten(1).T for one in differences(box)])
    plain = torch.eye(side * side, dtype=latent.dtype)
    rows = torch.cat([data, kernel_step._SMOOTHNESS**0.5 * smooth, ridge**0.5 * plain])
    wanted = torch.zeros(rows.shape[0], dtype=latent.dtype)
    wanted[: data.shape[0]] = torch.cat([one.flatten() for one in differences(blurry)])
    return rows, wanted


@pytest.mark.parametrize("ridge", [kernel_step.RIDGE, 40.0])
def test_equals_dense_non_negative_least_squares(ridge):
    sharp, kernel = draw_picture(32, 36).double(), shake(5, 1).double()
    noise = 0.05 * torch.randn(sharp.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    blurry = convolve(sharp, kernel, "circular") + noise
    rows, wanted = dense_problem(sharp, blurry, 7, ridge)
    expected, _ = nnls(rows.numpy(), wanted.numpy())
    assert (expected == 0).any(), "the bound should matter"
    found = fit_long(sharp, blurry, 7, ridge=ridge)
    torch.testing.assert_close(found.flatten(), torch.from_numpy(expected), atol=1e-6, rtol=0)


def test_each_kernel_may_have_a_ridge_of_its_own():
    sharp, kernel = draw_picture(40, 40), shake(5, 1)
    own, blurry = gradients_of(sharp), gradients_of(convolve(sharp, kernel, "circular"))
    start = torch.full((1, 1, 7, 7), 1 / 49)
    ridges = torch.tensor([2.0, 400.0]).view(2, 1, 1, 1)
    both = fit_kernel(own, blurry, start.expand(2, -1, -1, -1), (40, 40), ridge=ridges)
    for one, ridge in zip(both.split(1), (2.0, 400.0), strict=True):
        torch.testing.assert_close(one, fit_kernel(own, blurry, start, (40, 40), ridge=ridge))
    light = both / both.sum((-2, -1), keepdim=True)
    assert light[1].amax() < 0.9 * light[0].amax(), "the larger ridge spreads the light"


def test_the_misfit_is_that_of_the_dense_least_squares():
    sharp, kernel = draw_picture(32, 36).double(), shake(5, 1).double()
    blurry = convolve(sharp, kernel, "circular")
    rows, wanted = dense_problem(sharp, blurry, 7)
    tried = torch.rand(2, 1, 7, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    equations = normal_equations(gradients_of(sharp), gradients_of(blurry), 7, (32, 36))
    dense = (rows @ tried.flatten(1).T - wanted[:, None]).square().sum(0) / 2
    misfit = equations.misfit(tried)
    torch.testing.assert_close(misfit[0] - misfit[1], dense[0] - dense[1])


def test_an_even_weight_changes_nothing():
    sharp, kernel = draw_picture(40, 40).double(), shake(5, 1).double()
    blurry = convolve(sharp, kernel, "circular")
    even = torch.full((1, 1, 40, 21), 7.0, dtype=torch.float64)
    torch.testing.assert_close(fit_long(sharp, blurry, 7, even), fit_long(sharp, blurry, 7))


def box_with(*points: tuple[int, int, float], side: int = 9) -> torch.Tensor:
    kernel = torch.zeros(1, 1, side, side)
    for row, column, value in points:
        kernel[0, 0, row, column] = value
    return kernel


def test_faint_values_and_stray_parts_go_the_rest_sums_to_one():
    body = [(4, 3, 0.4), (4, 4, 0.4), (4, 5, 0.4)]
    rough = box_with(*body, (3, 4, 0.01), (0, 0, 0.1))
    torch.testing.assert_close(tidy_kernel(rough, rough, FAINTEST), box_with(*((y, x, 1 / 3) for y, x, _ in body)))


def test_a_diagonal_holds_together():
    diagonal = box_with(*((i, i, 0.08) for i in range(9)), (4, 4, 0.36))
    torch.testing.assert_close(tidy_kernel(diagonal, diagonal, FAINTEST), diagonal)


def test_two_large_parts_both_stay():
    parts = box_with((4, 2, 0.5), (4, 6, 0.5))
    torch.testing.assert_close(tidy_kernel(parts, parts, FAINTEST), parts)


def test_a_kernel_is_centred():
    torch.testing.assert_close(
        tidy_kernel(box_with((1, 1, 0.5), (1, 2, 0.5), (1, 3, 0.5)), box_with((4, 4, 1.0)), FAINTEST),
        box_with((4, 3, 1 / 3), (4, 4, 1 / 3), (4, 5, 1 / 3)),
    )


def test_an_empty_kernel_stays_as_it_was_before_and_its_neighbour_does_not_care():
    before = box_with((4, 4, 0.5), (4, 5, 0.5))
    good = box_with((4, 3, 2.0), (4, 4, 2.0), (4, 5, 2.0))
    both = tidy_kernel(torch.cat([torch.zeros_like(good), good]), torch.cat([before, before]), FAINTEST)
    torch.testing.assert_close(both[1], good[0] / 6)
    assert kernel_similarity_upto_shift(both[:1], before) == pytest.approx(1)


@pytest.mark.parametrize(("side", "new"), [(3, 5), (5, 7), (9, 13), (15, 21), (7, 7)])
def test_a_resized_kernel_is_a_kernel_of_the_same_shape(side, new):
    kernel = resize_kernel(shake(side, 4), new)
    assert kernel.shape[-2:] == (new, new)
    assert kernel.min() >= 0
    assert float(kernel.sum()) == pytest.approx(1)
    back = resize_kernel(kernel, side)
    assert kernel_similarity_upto_shift(back, shake(side, 4)) > 0.9
