import pytest
import torch

from unblur.losses.charbonnier import charbonnier


def test_of_equal_images_it_is_a_thousandth_a_number():
    image = torch.rand(2, 3, 5, 7)
    torch.testing.assert_close(charbonnier(image, image), torch.full((2,), 3 * 5 * 7 * 1e-3))


@pytest.mark.parametrize("difference", [-0.5, 1e-3, 0.25])
def test_is_summed_over_each_image_alone(difference):
    truth = torch.zeros(2, 1, 2, 2)
    answer = truth.clone()
    answer[1, 0, 1, 0] = difference
    expected = torch.tensor([4e-3, 3e-3 + (difference**2 + 1e-6) ** 0.5])
    torch.testing.assert_close(charbonnier(answer, truth), expected)


def test_gradient_is_finite_at_equality():
    answer = torch.zeros(1, 1, 2, 2, requires_grad=True)
    charbonnier(answer, torch.zeros(1, 1, 2, 2)).sum().backward()
    assert torch.equal(answer.grad, torch.zeros(1, 1, 2, 2))
