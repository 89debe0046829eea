import pytest
import torch

from unblur.errors import UsageError
from unblur.experiments.golf.settings import ToySettings
from unblur.experiments.golf.toy import ToyNetworks, analytic_gradient, integrate, mirrored, run


@pytest.fixture(scope="module")
def outcome():
    """Larger steps than in the full experiment, so that fewer samples do."""
    return run(ToySettings(seeds=4, samples=6000, batch=8, learning_rate=3e-3), lambda _: None)


def test_ninety_six_parameters():
    count = 7
    networks = ToyNetworks(count, torch.Generator().manual_seed(0))
    assert sum(parameter.numel() for parameter in networks.parameters()) == 96 * count


def test_networks_trained_together_share_nothing():
    networks = ToyNetworks(3, torch.Generator().manual_seed(0))
    points = torch.rand(5, 2, generator=torch.Generator().manual_seed(1))
    values = points
    for weight, bias in zip(networks.weights[:-1], networks.biases, strict=True):
        values = (values @ weight[1] + bias[1]).relu()
    assert torch.allclose(networks(points)[1], values @ networks.weights[-1][1], atol=1e-6)


def test_analytic_prior_leads_to_the_truth():
    points = 2 * torch.rand(1000, 2, dtype=torch.float64) - 1
    assert (points - analytic_gradient(points) - mirrored(points)).abs().max() < 1e-12


@pytest.mark.parametrize("second_first", [False, True])
def test_integral_of_a_known_gradient(second_first):
    axis = torch.linspace(-1, 1, 41, dtype=torch.float64)
    u1, u2 = torch.meshgrid(axis, axis, indexing="ij")
    field = torch.stack([2 * u1 + u2, u1], -1)  # of u1² + u1 u2
    values = integrate(field, float(axis[1] - axis[0]), second_first=second_first)
    truth = u1**2 + u1 * u2
    assert (values - (truth - truth.min())).abs().max() < 1e-12


def test_acceptance(outcome):
    """The classifier's prior is flat, and at least 100 times worse than the one trained as a gradient."""
    accuracy, _, flatness, gradient_error, ratio = outcome.comparisons
    assert (accuracy.verdict, flatness.verdict) == ("matches", "matches")
    assert gradient_error.verdict == "same direction", "a smaller error than the printed one is no match"
    assert float(ratio.ours) > 100
    assert ratio.verdict == "same direction"


def test_every_network_has_its_row(outcome):
    classifiers, gradients = outcome.tables
    assert len(classifiers.rows) == len(gradients.rows) == 4
    assert all(row[1] >= 0.97 for row in classifiers.rows)


def test_without_training_every_network_fails():
    with pytest.raises(UsageError, match="give more seeds"):
        run(ToySettings(seeds=1, samples=4), lambda _: None)
