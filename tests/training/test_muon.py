import pytest
import torch
from torch import nn

from unblur.training.muon import Muon, orthogonalise


@pytest.mark.parametrize("shape", [(6, 40), (40, 6), (8, 8)])
def test_singular_values_become_about_one(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    steep = left @ torch.diag(values * torch.linspace(0.2, 3, len(values))) @ right
    found = orthogonalise(steep)
    assert found.shape == shape
    singular = torch.linalg.svdvals(found)
    assert singular.min() > 0.6
    assert singular.max() < 1.3
    # the directions stay
    assert torch.linalg.matrix_norm(left.T @ found @ right.T - torch.eye(len(values)), 2) < 0.5


def test_no_gradient_moves_nothing():
    assert not orthogonalise(torch.zeros(3, 5)).any()


def test_a_step_has_about_the_size_of_its_rate():
    for weight in (nn.Parameter(torch.zeros(16, 8, 5, 5)), nn.Parameter(torch.zeros(32))):
        optimizer = Muon([weight], lr=1e-2)
        weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
        optimizer.step()
        assert weight.detach().square().mean().sqrt() == pytest.approx(1e-2, rel=0.9)


def test_it_learns_where_gradients_are_steep_in_one_direction():
    """Inputs that differ in size by a factor of 10 in different directions."""
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(256, 8, generator=generator) * torch.logspace(0, -1, 8)
    inputs = inputs @ torch.linalg.qr(torch.randn(8, 8, generator=generator)).Q
    goal = torch.randn(8, 8, generator=generator)

    def left_after(make):
        layer = nn.Linear(8, 8)
        nn.init.zeros_(layer.weight)
        optimizer = make(layer.parameters())
        for step in range(300):
            for group in optimizer.param_groups:
                group["lr"] = 0.1 * (1 - step / 300)
            optimizer.zero_grad()
            (layer(inputs) - inputs @ goal.T).square().mean().backward()
            optimizer.step()
        return float((layer.weight.detach() - goal).square().mean())

    assert left_after(Muon) < 0.02 * float(goal.square().mean())
    assert left_after(Muon) < left_after(lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.95))


def test_it_goes_on_from_what_was_stored():
    torch.manual_seed(0)
    first, second = nn.Conv2d(2, 3, 3), nn.Conv2d(2, 3, 3)
    second.load_state_dict(first.state_dict())
    image = torch.randn(1, 2, 6, 6)
    optimizers = [Muon(layer.parameters(), lr=0.01) for layer in (first, second)]

    def learn(layer, optimizer):
        optimizer.zero_grad()
        layer(image).square().mean().backward()
        optimizer.step()

    for _ in range(2):
        learn(first, optimizers[0])
    learn(second, optimizers[1])
    resumed = Muon(second.parameters(), lr=0.5)
    resumed.load_state_dict(optimizers[1].state_dict())
    learn(second, resumed)
    assert all(torch.equal(one, other) for one, other in zip(first.parameters(), second.parameters(), strict=True))
