"""Adam's steps are those of torch's class, and it can go on from what it kept."""

import subprocess
import sys

import torch
from torch import nn

from unblur.solvers.adam import Adam


def loss_of(weights):
    first, second, _ = weights
    return (first - 1).square().sum() + (3 * second + first[:2, :1]).abs().sum()


def make_weights():
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((4, 3), (2, 1), (5,))]


def take_steps(adam, weights, rates):
    for rate in rates:
        loss_of(weights).backward()
        adam.step(rate)


def test_steps_are_those_of_torch():
    weights, theirs = make_weights(), make_weights()
    take_steps(Adam(weights, decays=(0.8, 0.95)), weights, [0.1, 0.05, 0.05])
    reference = torch.optim.Adam(theirs, betas=(0.8, 0.95), fused=True)
    for rate in (0.1, 0.05, 0.05):
        reference.param_groups[0]["lr"] = rate
        reference.zero_grad()
        loss_of(theirs).backward()
        reference.step()
    assert all(torch.equal(own, other) for own, other in zip(weights, theirs, strict=True))


def test_a_weight_without_gradient_stays():
    weights = make_weights()
    before = weights[2].detach().clone()
    take_steps(Adam(weights), weights, [0.1])
    assert torch.equal(weights[2], before)
    assert all(weight.grad is None for weight in weights)


def test_no_gradient_at_all_changes_nothing():
    weights = make_weights()
    Adam(weights).step(0.1)
    assert all(torch.equal(own, other) for own, other in zip(weights, make_weights(), strict=True))


def test_steps_go_on_from_what_was_kept():
    weights = make_weights()
    first = Adam(weights)
    take_steps(first, weights, [0.1, 0.1])
    state = {name: [value.clone() for value in values] for name, values in first.state().items()}
    copies = [nn.Parameter(weight.detach().clone()) for weight in weights]
    other = Adam(copies)
    other.load(state)
    take_steps(first, weights, [0.1])
    take_steps(other, copies, [0.1])
    assert all(torch.equal(own, copy) for own, copy in zip(weights, copies, strict=True))


def test_torch_does_not_load_its_compiler():
    code = (
        "import sys, torch; from unblur.solvers.adam import Adam\n"
        "x = torch.ones(2, requires_grad=True); x.sum().backward(); Adam([x]).step(0.1)\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
