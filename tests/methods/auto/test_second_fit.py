"""The kernel fitted to the refined answer, with the weights that ship."""

import pytest
import torch

from unblur.datasets.photo_kinds.kinds import make_photo, photo_kinds
from unblur.datasets.photos import kodak
from unblur.methods.auto.second_fit import fit_to_refined
from unblur.methods.loading import load_method
from unblur.metrics.kernel import kernel_similarity_upto_shift


@pytest.fixture(scope="module")
def refiner():
    return load_method("auto").refiner


def test_a_kernel_that_is_a_little_wrong_becomes_better(refiner, data_folder):
    """Photos that the refiner never saw."""
    kind = photo_kinds(data_folder)["shake-5-15"]
    for number in (2, 19):
        pair = make_photo(kodak(data_folder)[number], kind, number, size=200).pair
        noise = torch.rand(pair.kernel.shape, generator=torch.Generator().manual_seed(number))
        wrong = pair.kernel * (2.0 * noise)
        wrong = wrong / wrong.sum()
        found = fit_to_refined(refiner, pair.blurry, wrong, "linear")
        assert float(found.sum()) == pytest.approx(1, abs=1e-5)
        before, after = (float(kernel_similarity_upto_shift(one, pair.kernel)) for one in (wrong, found))
        assert after > before + 0.02
