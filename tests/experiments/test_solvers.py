"""Solvers of other libraries beside ours."""

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


def test_every_solver_restores(monkeypatch):
    monkeypatch.setattr(peers, "open_dataset", pairs_of)
    result = peers.run(PeerSettings(repeats=1), lambda line: None)
    rows = {name: row for name, *row in result.tables[0].rows}
    assert len(rows) == len(SOLVER_NAMES) + 4
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
