"""Solvers of other libraries beside ours."""

from types import SimpleNamespace
from unittest.mock import Mock

import torch

import data_trees as trees
from unblur.blur.convolve import convolve
from unblur.datasets.pairs import Pair
from unblur.experiments.scores import psnr_of
from unblur.experiments.solvers import peers
from unblur.experiments.solvers.settings import PeerSettings
from unblur.solvers.names import SOLVER_NAMES


def pairs_of(suite):
    """One pair without noise, its kernel far from symmetric, so that a flip or a shift costs decibels."""
    sharp = torch.from_numpy(trees.photo(96, 110, 1, 3)).permute(2, 0, 1)[None].float() / 255
    kernel = torch.zeros(1, 1, 9, 7)
    kernel[0, 0, 1, 1:6], kernel[0, 0, 1:8, 5] = 1.0, 0.5
    kernel /= kernel.sum()
    assert suite == "levin"
    return [Pair("made", convolve(sharp, kernel, "replicate"), sharp, kernel=kernel, encoding="encoded")]


def no_deepinv(name):
    raise RuntimeError("operator torchvision::nms does not exist")


def test_every_solver_restores(monkeypatch):
    monkeypatch.setattr(peers, "open_dataset", pairs_of)
    monkeypatch.setattr(peers, "import_module", no_deepinv)
    said = []
    result = peers.run(PeerSettings(repeats=1), said.append)
    rows = {name: row for name, *row in result.tables[0].rows}
    assert len(rows) == len(SOLVER_NAMES) + 4
    assert said[0].startswith("deepinv is left out, for it cannot be imported (operator torchvision::nms")
    assert "deepinv was not there" in result.notes[-1]
    # Without noise all of them gain, but the one of which the border spoils the whole image.
    assert all(gain > 0.5 for name, (_, gain, _, _) in rows.items() if "unsupervised" not in name), rows
    assert all(seconds > 0 for *_, seconds in rows.values())


def test_sample_of_opencv_neither_flips_nor_shifts():
    cv2 = peers.import_extra("cv2", "this test")
    [pair] = pairs_of("levin")
    solver = peers._by_plane(lambda blurry, kernel: peers._opencv_wiener(cv2, blurry, kernel))
    restored = solver(pair.blurry, pair.kernel, "encoded")
    inner = (..., slice(35, -35), slice(35, -35))
    assert psnr_of(restored[inner], pair.sharp[inner]) > psnr_of(pair.blurry[inner], pair.sharp[inner]) + 2


def test_deepinv_is_given_photo_kernel_and_the_numbers_of_its_examples(monkeypatch):
    blur, denoiser = Mock(), Mock()
    package = SimpleNamespace(models=SimpleNamespace(TVDenoiser=denoiser), physics=SimpleNamespace(BlurFFT=blur))
    package.optim = SimpleNamespace(DPIR=lambda sigma, denoiser: lambda image, physics: image + sigma)
    monkeypatch.setattr(peers, "import_module", {"deepinv": package}.get)
    [solve] = peers._solvers_of_deepinv(peers._import_deepinv(lambda line: None)).values()
    photo, kernel = torch.zeros(1, 3, 4, 5), torch.ones(1, 1, 3, 3) / 9
    assert torch.equal(solve(photo, kernel, "encoded"), photo + 0.03)
    blur.assert_called_once_with(img_size=(3, 4, 5), filter=kernel)
    denoiser.assert_called_once_with(n_it_max=20)
