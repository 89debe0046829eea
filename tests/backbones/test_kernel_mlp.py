"""The kernel network: its size as published, always a kernel, and begun with a given one."""

import pytest
import torch

from planted import shake
from unblur.backbones.kernel_mlp import KernelMlp


@pytest.mark.parametrize(
    ("side", "count"),
    [
        (11, 322_121),
        (13, 370_169),
        (15, 426_225),
        (17, 490_289),
        (19, 562_361),
        (21, 642_441),
        (27, 930_729),
        (31, 1_162_961),
        (51, 2_804_601),
        (75, 5_831_625),
    ],
)
def test_counts(side, count):
    assert sum(weights.numel() for weights in KernelMlp((side, side)).parameters()) == count


def test_the_answer_is_a_kernel_whatever_the_weights():
    network = KernelMlp((7, 9))
    torch.nn.init.normal_(network.out.weight, std=3.0)
    kernel = network(torch.randn(200))
    assert kernel.shape == (1, 1, 7, 9)
    assert kernel.min() >= 0
    assert float(kernel.detach().sum()) == pytest.approx(1)


def test_it_begins_with_a_given_kernel():
    network, code, wanted = KernelMlp((15, 15)), torch.rand(200) / 10, shake(15, 3)
    network.start_from(wanted, code)
    kernel = network(code)
    assert (kernel - wanted).abs().sum() < 0.05
    assert kernel.min() > 1e-5, "a pixel without light can never grow"
