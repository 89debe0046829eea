import copy

import pytest
import torch

from unblur.backbones.golf import GolfNet, first_shot, putt
from unblur.losses.content import mean_square
from unblur.methods.golf.objective import FirstShotObjective, PuttObjective
from unblur.methods.golf.symmetry import keep_symmetric, make_symmetric, mean_over_positions
from unblur.training.muon import Muon

POSITIONS = [(turns, mirrored) for mirrored in (False, True) for turns in range(4)]


def turned(image, turns, mirrored):
    return torch.rot90(image.flip(-1) if mirrored else image, turns, (-2, -1))


def symmetric(network: GolfNet) -> GolfNet:
    torch.nn.init.normal_(network.tail.weight, std=0.05)
    make_symmetric(network.double())
    return network


def image(height: int = 20, width: int = 27) -> torch.Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


@pytest.mark.parametrize("build", [first_shot, lambda: first_shot(unit_contrast=True), putt])
def test_turned_photos_have_turned_answers(build):
    torch.manual_seed(0)
    network = symmetric(build())
    photo = image()
    with torch.no_grad():
        answer = network(photo)
        assert (answer - photo).abs().max() > 0.01
        for position in POSITIONS:
            assert torch.allclose(network(turned(photo, *position)), turned(answer, *position), atol=1e-9)


def test_a_plain_network_is_not_symmetric():
    torch.manual_seed(0)
    network = first_shot()
    torch.nn.init.normal_(network.tail.weight, std=0.05)
    photo = image().float()
    with torch.no_grad():
        assert not torch.allclose(network(photo.flip(-1)), network(photo).flip(-1), atol=1e-2)


@pytest.mark.parametrize("shape", [(32, 3, 7, 7), (16, 16, 5, 5), (3, 32, 1, 1), (3, 3, 7, 7), (32,), (3,)])
def test_the_mean_is_a_projection(shape):
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    mean = mean_over_positions(weight)
    assert torch.allclose(mean_over_positions(mean), mean)
    assert ((weight - mean) * mean).sum().abs() < 1e-9


def test_gradients_are_those_of_eight_turned_samples():
    torch.manual_seed(0)
    network = symmetric(first_shot(unit_contrast=True))
    plain = copy.deepcopy(network)
    blurry, sharp = image(17, 17), image(17, 17).roll(1, 0)
    mean_square(network(blurry), sharp).mean().backward()
    for position in POSITIONS:
        (mean_square(plain(turned(blurry, *position)), turned(sharp, *position)).mean() / 8).backward()
    for one, eight in zip(network.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(one.grad, eight.grad, atol=1e-9)


def test_the_norms_of_the_weights_stay():
    torch.manual_seed(0)
    network = first_shot()
    before = [float(weight.detach().norm()) for weight in network.parameters()]
    make_symmetric(network)
    assert [float(weight.detach().norm()) for weight in network.parameters()] == pytest.approx(before, rel=1e-5)


@pytest.mark.parametrize("make_optimiser", [torch.optim.Adam, Muon])
def test_training_keeps_the_symmetry(make_optimiser):
    torch.manual_seed(0)
    objective = FirstShotObjective(symmetric=True, unit_contrast=True)
    optimiser = make_optimiser(objective.network.parameters(), lr=1e-3)
    photo = image().float()
    for _ in range(3):
        optimiser.zero_grad()
        objective({"blurry": photo, "sharp": photo.roll(1, -1)})["content"].backward()
        optimiser.step()
        objective.project()
    with torch.no_grad():
        answer = objective.network(photo)
        assert not torch.equal(answer, photo)
        assert torch.allclose(objective.network(photo.mT), answer.mT, atol=1e-4)


def test_the_putt_alone_learns_in_stage_2():
    objective = PuttObjective(symmetric=True)
    for weight in objective.network.putt.parameters():
        assert torch.allclose(weight, mean_over_positions(weight), atol=1e-6)
    before = [weight.clone() for weight in objective.network.first_shot.parameters()]
    objective.project()
    assert all(torch.equal(a, b) for a, b in zip(before, objective.network.first_shot.parameters(), strict=True))


def test_rounding_is_taken_away():
    torch.manual_seed(0)
    network = symmetric(putt())
    exact = [weight.detach().clone() for weight in network.parameters()]
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight), alpha=1e-6)
    keep_symmetric(network)
    assert all(torch.allclose(a, b, atol=3e-6) for a, b in zip(exact, network.parameters(), strict=True))
    assert all(torch.allclose(weight, mean_over_positions(weight), atol=1e-12) for weight in network.parameters())
