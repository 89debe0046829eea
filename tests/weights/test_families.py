"""Networks told by the names and shapes of their tensors."""

import pytest
import torch

from unblur.methods.golf.model import GolfOptimizer, first_shot, putt
from unblur.methods.kernel_space.model import full_kernel_space, reduced_kernel_space
from unblur.weights.checkpoint import Checkpoint, read_checkpoint
from unblur.weights.families import _SIGNS, describe_family, guess_arch, shapes_of
from unblur.weights.shipped import shipped


@pytest.mark.parametrize(
    ("build", "variational", "words"),
    [
        (full_kernel_space, False, "width 64, 512 channels of code"),
        (full_kernel_space, True, "width 64, 512 channels of code, variational"),
        (reduced_kernel_space, False, "width 32, 64 channels of code"),
    ],
)
def test_kernel_space(build, variational, words):
    with torch.device("meta"):
        tensors = build(variational=variational).state_dict()
    assert guess_arch(shapes_of(tensors)) == "kernel-space"
    assert describe_family(Checkpoint("any", tensors)) == f"kernel space ({words})"


def test_golf():
    with torch.device("meta"):
        both = GolfOptimizer(first_shot(), putt()).state_dict()
        alone = first_shot().state_dict()
    assert guess_arch(shapes_of(both)) == "golf"
    assert describe_family(Checkpoint("any", both)) == "Golf Optimizer (first shot of 32 channels, putt of 16)"
    assert guess_arch(shapes_of(alone)) == "golf-first-shot"


@pytest.mark.parametrize("entry", shipped().values(), ids=lambda entry: entry.name)
def test_everything_that_ships_is_recognised(entry):
    checkpoint = read_checkpoint(entry.path)
    assert guess_arch(shapes_of(checkpoint.tensors)) == checkpoint.metadata["arch"]


@pytest.mark.parametrize("arch", _SIGNS)
def test_the_right_names_with_the_wrong_shapes(arch):
    tensors = {name: torch.tensor(1.0) for name in _SIGNS[arch]}
    assert 0 < len(describe_family(Checkpoint("any", tensors))) < 100


def test_what_a_file_calls_itself_is_cut():
    told = describe_family(Checkpoint("any", {"a": torch.ones(1)}, {"arch": "x" * 100_000}))
    assert len(told) <= 80
