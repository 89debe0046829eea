"""Refining and what follows, with the weights that ship."""

from unblur.datasets.photo_kinds.kinds import make_photo, photo_kinds
from unblur.datasets.photos import kodak
from unblur.experiments.scores import psnr_of
from unblur.methods.auto.improvement import Improver
from unblur.methods.auto.refiner import refine_answer
from unblur.methods.loading import load_method
from unblur.solvers.photo import estimate_noise, restore_with_kernel


def test_slight_blur_keeps_the_detail_that_the_photo_has(data_folder):
    """Photos that the refiner never saw, with their true kernels."""
    network, kind = load_method("auto").refiner, photo_kinds(data_folder)["line-2-5"]
    gains = []
    for number in (2, 11, 19):
        pair = make_photo(kodak(data_folder)[number], kind, number, size=160).pair
        answer = restore_with_kernel(pair.blurry, pair.kernel, encoding="linear")
        known = {"noise": estimate_noise(pair.blurry), "jpeg_coarseness": 0.0}
        refined = refine_answer(network, answer, pair.blurry, pair.kernel, encoding="linear", **known)
        improved = Improver(network, pair.blurry).improve(answer, pair.kernel, "linear").image
        gains.append(psnr_of(improved, pair.sharp) - psnr_of(refined.clamp(0, 1), pair.sharp))
    assert min(gains) > -0.2
    assert sum(gains) > 0.5
