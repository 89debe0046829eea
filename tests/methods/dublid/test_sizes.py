"""The estimate of a large photo, first where it is small."""

import torch

from unblur.blur.kernels import disk_kernel
from unblur.methods.dublid.sizes import NetworkLooker
from unblur.methods.kernel_method import BlurEstimate
from unblur.methods.options import RestoreOptions
from unblur.methods.reduced_size import Size, extent_of

SMALL, LARGE = Size(100, 120), torch.zeros(1, 1, 200, 240)


def again(found: BlurEstimate, finer: BlurEstimate) -> BlurEstimate:
    looker = NetworkLooker(lambda *_: finer)
    return looker.find_again(found, SMALL, LARGE, RestoreOptions())


def test_the_same_blur_at_twice_the_size_counts() -> None:
    finer = BlurEstimate(disk_kernel(6.0))
    assert again(BlurEstimate(disk_kernel(3.0)), finer) is finer
    assert NetworkLooker(lambda *_: finer).is_sure(finer)


def test_another_blur_at_twice_the_size_does_not() -> None:
    looker = NetworkLooker(lambda *_: BlurEstimate(None))
    for radius in (3.0, 12.0):
        other = again(BlurEstimate(disk_kernel(3.0)), BlurEstimate(disk_kernel(radius)))
        assert "is not that at the smaller one" in other.refusal
        assert not looker.is_sure(other)


def test_what_is_refused_is_not_sure() -> None:
    looker = NetworkLooker(lambda *_: BlurEstimate(None))
    assert not looker.is_sure(BlurEstimate(None))
    assert not looker.is_sure(BlurEstimate(disk_kernel(3.0), refusal="the photo looks sharp"))
    assert looker.extent_of(BlurEstimate(None)) == 0
    assert looker.extent_of(BlurEstimate(disk_kernel(3.0))) == extent_of(disk_kernel(3.0))
