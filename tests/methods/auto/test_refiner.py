import pytest
import torch

from planted import Planted, plant, psnr, shake
from unblur.datasets.photo_kinds.kinds import make_photo, photo_kinds
from unblur.datasets.photos import kodak
from unblur.methods.auto.refiner import REFINER_CONFIG, AnswerRefiner, has_colour, reblur_residual, refine_answer
from unblur.methods.loading import load_method
from unblur.solvers.photo import estimate_noise, restore_with_kernel

KERNEL = shake(9, 2, (10, 12))
KNOWN = {"encoding": "encoded", "noise": 0.01, "jpeg_coarseness": 0.0}


@pytest.fixture(scope="module")
def planted():
    """A coloured picture whose channels have noise of their own."""
    parts = [plant(KERNEL, (101, 90), seed=seed, noise=0.02) for seed in range(3)]
    blurry, sharp = (torch.cat([getattr(part, name) for part in parts], 1) for name in ("blurry", "sharp"))
    mixing = torch.tensor([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.7, 0.1, 0.2]])
    return Planted(*(torch.einsum("ij,bjhw->bihw", mixing, image) for image in (blurry, sharp)), KERNEL)


def test_a_new_network_returns_nearly_the_answer(planted):
    refined = refine_answer(AnswerRefiner(**REFINER_CONFIG), planted.sharp, planted.blurry, KERNEL, **KNOWN)
    assert refined.shape == planted.sharp.shape
    assert float((refined - planted.sharp).abs().max()) < 0.03


def test_the_shipped_refiner_cleans_noisy_photos(data_folder):
    """Photos that it never saw, with their true kernels."""
    network, kind = load_method("auto").refiner, photo_kinds(data_folder)["noise"]
    gains = []
    for number in (2, 11, 19):
        pair = make_photo(kodak(data_folder)[number], kind, number, size=160).pair
        answer = restore_with_kernel(pair.blurry, pair.kernel, encoding="linear").clamp(0, 1)
        known = {"encoding": "linear", "noise": estimate_noise(pair.blurry), "jpeg_coarseness": 0.0}
        refined = refine_answer(network, answer, pair.blurry, pair.kernel, **known)
        gains.append(psnr(refined.clamp(0, 1), pair.sharp) - psnr(answer, pair.sharp))
    assert min(gains) > 0
    assert sum(gains) > 2


def test_tiles_do_not_show(planted, monkeypatch):
    network = load_method("auto").refiner
    colours = (planted.sharp, planted.blurry)
    whole = refine_answer(network, *colours, KERNEL, **KNOWN)
    monkeypatch.setattr("unblur.methods.auto.refiner._TILE", 40)
    assert torch.allclose(refine_answer(network, *colours, KERNEL, **KNOWN), whole, atol=1e-5)


def test_half_precision_does_not_show(planted, monkeypatch):
    network = load_method("auto").refiner
    images: list[torch.Tensor] = []
    for precision in (torch.float32, torch.bfloat16):
        monkeypatch.setattr("unblur.methods.auto.refiner.choose_precision", lambda *_, chosen=precision: chosen)
        images.append(refine_answer(network, planted.sharp, planted.blurry, KERNEL, **KNOWN))
    assert images[1].dtype == torch.float32
    assert 0 < float((images[1] - images[0]).square().mean().sqrt()) < 0.25 / 255


def test_grey_photos_have_no_colour(planted):
    assert has_colour(planted.blurry)
    assert not has_colour(planted.blurry[:, :1].expand(-1, 3, -1, -1))
    assert not has_colour(planted.blurry[:, :1])


@pytest.mark.parametrize("encoding", ["encoded", "linear"])
def test_the_residual_of_the_truth_is_noise(encoding):
    planted = plant(KERNEL, (90, 90), noise=0.0, light=encoding)
    residual = reblur_residual(planted.sharp, planted.blurry, KERNEL, encoding)[..., 8:-8, 8:-8]
    assert float(residual.abs().max()) < 0.01
