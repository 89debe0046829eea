import torch
from torch import nn

from unblur.backbones.golf import first_shot, putt
from unblur.methods.golf.model import GolfOptimizer


def shaken(network: nn.Module, seed: int = 0) -> nn.Module:
    """Far from the identity that it starts as."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)
    return network.requires_grad_(False)


def test_iterates_are_the_recursion():
    networks = GolfOptimizer(shaken(first_shot(), 1), shaken(putt(), 2), iters=3)
    blurry = torch.rand(1, 3, 24, 24)
    iterates = list(networks.iterates(blurry))
    expected = [networks.first_shot(blurry)]
    for _ in range(3):
        expected.append(networks.putt(expected[-1]))
    assert len(iterates) == 4
    assert all(torch.equal(own, other) for own, other in zip(iterates, expected, strict=True))
    assert torch.equal(networks(blurry), expected[-1])


def test_residual_gradient_is_one_step():
    networks = GolfOptimizer(first_shot(), shaken(putt()))
    latent = torch.rand(1, 3, 24, 24)
    step = networks.residual_gradient(latent)
    assert torch.equal(step, networks.putt(latent) - latent)
    assert step.abs().max() > 0
