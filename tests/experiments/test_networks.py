"""Experiments with published networks, with a method that changes nothing in the network's place."""

import numpy as np
import pytest
import torch

import data_trees as trees
from unblur.datasets.pairs import Pair
from unblur.errors import DataError, SettingsError
from unblur.experiments.networks import frames, tiles
from unblur.experiments.networks.settings import FrameSettings, TileSettings
from unblur.experiments.photos import averaged_frames, middle_of

FRAMES = "frames/moving"


@pytest.fixture
def sequence(tmp_path, monkeypatch):
    """Six frames of 48x64 pixels of a texture that moves by a pixel a frame."""
    (tmp_path / FRAMES).mkdir(parents=True)
    wide = trees.photo(48, 70, 3, 0)
    pictures = [wide[:, start : start + 64] for start in range(6)]
    for number, picture in enumerate(pictures):
        trees.save(tmp_path / FRAMES / f"{number}.png", picture)
    monkeypatch.setenv("UNBLUR_DATA", str(tmp_path))
    return np.stack(pictures)


def test_pairs_are_means_of_frames_around_the_middle_one(sequence):
    first, last = averaged_frames(FRAMES, [3, 5], step=2)
    assert (first.frames, last.frames) == (("0", "2"), ("1", "5")), "the last begins early enough to be complete"
    light = ((sequence[:3] / 255) ** 2.2).mean(0) ** (1 / 2.2)
    np.testing.assert_allclose(first.blurry[0].permute(1, 2, 0), light, atol=0.5 / 255 + 1e-6)
    np.testing.assert_allclose(last.sharp[0].permute(1, 2, 0) * 255, sequence[3], atol=1e-4)


def test_too_few_frames(sequence):
    with pytest.raises(DataError, match="6 frames; an exposure is made of 7"):
        averaged_frames(FRAMES, [7])


def test_the_middle_of_an_image():
    image = torch.arange(35.0).view(1, 1, 5, 7)
    assert middle_of(image, 3).tolist() == image[..., 1:4, 2:5].tolist()
    assert middle_of(image, 6).shape == (1, 1, 5, 6)
    assert middle_of(image, 0) is image


def test_a_method_without_effect_gains_nothing_on_frames(sequence):
    settings = FrameSettings(method="input", frames=FRAMES, counts="3,4", crop=44)
    result = frames.run(settings, lambda _: None)
    columns = result.tables[0].columns
    rows = [dict(zip(columns, row, strict=True)) for row in result.tables[0].rows]
    assert [row["frames"] for row in rows] == [3, 4]
    for row in rows:
        assert row["gain"] == row["gain, shift"] == 0
        assert row["blurry"] < 40
    assert "44x44 pixels" in result.notes[1]


def test_tiles_of_a_method_without_effect_lose_nothing(monkeypatch):
    image = torch.rand(1, 3, 64, 64)
    monkeypatch.setattr(tiles, "_pairs", lambda _: [Pair(name="made", blurry=image, sharp=image * 0.5)])
    [row] = tiles.run(TileSettings(method="input", side=64), lambda _: None).tables[0].rows
    assert row[0] == "made"
    assert row[4:] == [0, 0]


@pytest.mark.parametrize("wrong", [{"counts": "many"}, {"crop": -1}])
def test_wrong_settings(wrong):
    with pytest.raises(SettingsError):
        FrameSettings(**wrong)
