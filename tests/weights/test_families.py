"""Networks told by the names and shapes of their tensors."""

import pytest
import torch

from unblur.methods.kernel_space.model import full_kernel_space, reduced_kernel_space
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.families import describe_family, guess_arch, shapes_of


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
