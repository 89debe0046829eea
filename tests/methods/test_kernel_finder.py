"""The kernel of a photo of any size."""

import pytest
import torch

from unblur.blur.kernels import disk_kernel
from unblur.methods.kernel_search import finder
from unblur.methods.kernel_search.finder import KernelFinder
from unblur.methods.kernel_search.search import Finding
from unblur.methods.kernel_search.settings import SearchSettings
from unblur.methods.options import RestoreOptions
from unblur.methods.reduced_size import Size


def found(radius: float, score: float, fault: str | None = None) -> Finding:
    return Finding(disk_kernel(radius), "linear", fault, (score,))


@pytest.mark.parametrize(
    ("anew", "is_taken"),
    [
        (found(6.1, 0.1), True),
        (found(6.1, 0.3), False),
        (found(2.0, 0.1), False),
        (found(6.1, 0.1, "could not be found"), False),
    ],
    ids=["a better score", "a worse score", "far too small", "refused"],
)
def test_a_search_at_the_larger_size_counts_if_it_finds_the_same_blur(anew, is_taken, monkeypatch):
    given = []

    def search_larger(grey, smaller, *_):
        given.append(smaller.kernel.shape[-1])
        return found(6.0, 0.2)

    monkeypatch.setattr(finder, "search_larger", search_larger)
    monkeypatch.setattr(finder, "find_kernel", lambda *_args, **_named: anew)
    small, photo = found(3.0, 0.0), torch.zeros(1, 1, 200, 240)
    looker = KernelFinder(SearchSettings(), second_pass=True)
    answer = looker.find_again(small, Size(100, 120), photo, RestoreOptions())
    assert (answer is anew) == is_taken
    assert given[0] > 1.7 * small.kernel.shape[-1], "the kernel is that of the larger size"


def test_what_is_refused_is_not_sure():
    looker = KernelFinder(SearchSettings(), second_pass=False)
    assert looker.is_sure(found(3.0, 0.0))
    assert not looker.is_sure(found(3.0, 0.0, "looks sharp"))
    finer = found(5.0, 0.0, "could not be found")
    assert looker.join_unsure(found(3.0, 0.0, "looks sharp"), finer) is finer
