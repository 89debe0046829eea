"""The kernel of a photo whose sharp image something else has made."""

import pytest
import torch

from planted import plant, shake
from unblur.methods.kernel_search.refit import refit_kernel
from unblur.metrics.kernel import kernel_similarity_upto_shift

KERNEL = shake(11, 3)


@pytest.mark.parametrize("encoding", ["encoded", "linear"])
def test_the_sharp_image_gives_the_true_kernel_from_a_rough_one(encoding):
    planted = plant(KERNEL, (120, 130), noise=0.005, light=encoding)
    rough = torch.full((1, 1, 13, 13), 1 / 169)
    found = refit_kernel(planted.blurry[:, :1], planted.sharp[:, :1], rough, encoding)
    assert found.shape == rough.shape
    assert found.min() >= 0
    assert float(found.sum()) == pytest.approx(1, abs=1e-5)
    assert kernel_similarity_upto_shift(found, KERNEL) > 0.95


def test_the_kernel_stays_where_the_image_wants_it():
    planted = plant(KERNEL, (120, 130))
    grey = planted.sharp[:, :1]
    beside = torch.nn.functional.pad(KERNEL, (3, 1, 1, 3))
    found = refit_kernel(planted.blurry[:, :1], grey.roll((1, -1), (-2, -1)), beside, "encoded")
    assert float((found * beside).sum() / (found.norm() * beside.norm())) > 0.9
