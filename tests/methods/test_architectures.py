"""Networks told by the names and shapes of their tensors."""

import pytest
import torch

from unblur.backbones.golf import first_shot, putt
from unblur.methods.architectures import describe_checkpoint, known_architectures
from unblur.methods.golf.model import GolfOptimizer
from unblur.methods.kernel_space.filters import reduced_kernel_space
from unblur.methods.kernel_space.model import full_kernel_space
from unblur.weights.architecture import guess_architecture, shapes_of
from unblur.weights.checkpoint import Checkpoint, read_checkpoint
from unblur.weights.shipped import shipped


def guess(tensors) -> str:
    found = guess_architecture(shapes_of(tensors), known_architectures())
    return found.name if found else ""


@pytest.mark.parametrize(
    ("build", "variational", "words"),
    [
        (full_kernel_space, False, "width 64, 512 channels of code"),
        (full_kernel_space, True, "width 64, 512 channels of code, variational"),
        (reduced_kernel_space, False, "filters of 25x25, 64 channels of code"),
        (reduced_kernel_space, True, "filters of 25x25, 64 channels of code, variational"),
    ],
)
def test_kernel_space(build, variational, words):
    with torch.device("meta"):
        tensors = build(variational=variational).state_dict()
    assert guess(tensors) == "kernel-space"
    assert describe_checkpoint(Checkpoint("any", tensors)) == f"kernel space ({words})"


def test_golf():
    with torch.device("meta"):
        both = GolfOptimizer(first_shot(), putt()).state_dict()
        alone = first_shot().state_dict()
    assert guess(both) == "golf"
    assert describe_checkpoint(Checkpoint("any", both)) == "Golf Optimizer (first shot of 32 channels, putt of 16)"
    assert guess(alone) == "golf-first-shot"


@pytest.mark.parametrize("entry", shipped().values(), ids=lambda entry: entry.name)
def test_everything_that_ships_is_recognised(entry):
    checkpoint = read_checkpoint(entry.path)
    assert guess(checkpoint.tensors) == checkpoint.metadata["arch"]


@pytest.mark.parametrize("arch", known_architectures(), ids=lambda arch: arch.name)
def test_the_right_names_with_the_wrong_shapes(arch):
    tensors = {name: torch.tensor(1.0) for name in arch.tensors}
    assert 0 < len(describe_checkpoint(Checkpoint("any", tensors))) < 100


def test_what_a_file_calls_itself_is_cut():
    told = describe_checkpoint(Checkpoint("any", {"a": torch.ones(1)}, {"arch": "x" * 100_000}))
    assert len(told) <= 80
