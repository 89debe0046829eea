import pytest
import torch

from planted import plant, psnr, shake
from unblur.methods.auto.refiner import REFINER_CONFIG, AnswerRefiner, reblur_residual, refine_answer
from unblur.methods.loading import load_method
from unblur.solvers.photo import restore_with_kernel

KERNEL = shake(9, 2, (10, 12))
KNOWN = {"encoding": "encoded", "noise": 0.01, "jpeg_coarseness": 0.0}


@pytest.fixture(scope="module")
def planted():
    return plant(KERNEL, (101, 90), noise=0.02)


def test_a_new_network_returns_nearly_the_answer(planted):
    refined = refine_answer(AnswerRefiner(**REFINER_CONFIG), planted.sharp, planted.blurry, KERNEL, **KNOWN)
    assert refined.shape == planted.sharp.shape
    assert float((refined - planted.sharp).abs().max()) < 0.03


def test_the_shipped_refiner_cleans_a_noisy_answer(planted):
    network = load_method("auto").refiner
    answer = restore_with_kernel(planted.blurry, KERNEL, encoding="encoded").clamp(0, 1)
    refined = refine_answer(network, answer, planted.blurry, KERNEL, **KNOWN).clamp(0, 1)
    assert psnr(refined, planted.sharp) > psnr(answer, planted.sharp)


def test_tiles_do_not_show(planted, monkeypatch):
    network = load_method("auto").refiner
    colours = [image.expand(-1, 3, -1, -1) for image in (planted.sharp, planted.blurry)]
    whole = refine_answer(network, *colours, KERNEL, **KNOWN)
    monkeypatch.setattr("unblur.methods.auto.refiner._TILE", 40)
    assert torch.allclose(refine_answer(network, *colours, KERNEL, **KNOWN), whole, atol=1e-5)


@pytest.mark.parametrize("encoding", ["encoded", "linear"])
def test_the_residual_of_the_truth_is_noise(encoding):
    planted = plant(KERNEL, (90, 90), noise=0.0, light=encoding)
    residual = reblur_residual(planted.sharp, planted.blurry, KERNEL, encoding)[..., 8:-8, 8:-8]
    assert float(residual.abs().max()) < 0.01
