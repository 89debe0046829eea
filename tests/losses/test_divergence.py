import torch
from torch.distributions import Normal, kl_divergence

from unblur.losses.divergence import normal_divergence


def test_is_twice_the_divergence_of_normal_distributions():
    generator = torch.Generator().manual_seed(1)
    mean, sigma = (torch.randn(2, 3, 4, 4, generator=generator) for _ in range(2))
    expected = 2 * kl_divergence(Normal(mean, sigma.abs()), Normal(torch.tensor(0.0), torch.tensor(1.0)))
    torch.testing.assert_close(normal_divergence(mean, sigma), expected.sum((1, 2, 3)), rtol=1e-4, atol=1e-4)


def test_nothing_for_the_standard_normal_distribution():
    ones = torch.ones(1, 2, 3, 3)
    torch.testing.assert_close(normal_divergence(0 * ones, -ones), torch.zeros(1), rtol=0, atol=1e-5)


def test_a_deviation_of_zero_stays_finite():
    sigma = torch.zeros(1, 1, 1, 1, requires_grad=True)
    normal_divergence(torch.zeros(1, 1, 1, 1), sigma).sum().backward()
    assert torch.isfinite(sigma.grad).all()
