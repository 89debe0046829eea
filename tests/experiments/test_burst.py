"""The experiment on bursts, with photos that are made here and a method that is quick on them."""

from pathlib import Path

import pytest
import torch

from planted import draw_picture
from unblur.datasets.photo_kinds.blurs import shake
from unblur.datasets.photo_kinds.bursts import make_burst
from unblur.datasets.photo_kinds.kinds import PhotoKind
from unblur.errors import SettingsError
from unblur.experiments.burst import gain
from unblur.experiments.burst.settings import GainSettings

KIND = PhotoKind("camera shake within 5 to 15 px", shake(5, 15))


class Photos(list):
    paths = (Path("made.png"),)


def photo():
    return draw_picture(150, 170, seed=5).expand(-1, 3, -1, -1)


def test_photos_of_a_burst_show_one_scene_each_with_another_blur():
    burst = make_burst(photo(), KIND, seed=3, count=3, shift=12)
    assert len({one.pair.sharp.shape for one in burst}) == 1
    assert len({one.pair.kernel.sum((0, 1)).flatten().argmax().item() for one in burst}) > 1
    again = make_burst(photo(), KIND, seed=3, count=3, shift=12)
    assert all(torch.equal(one.pair.blurry, other.pair.blurry) for one, other in zip(burst, again, strict=True))
    assert not torch.equal(burst[0].pair.sharp, burst[1].pair.sharp), "they are shifted"


@pytest.mark.usefixtures("quick_search")
def test_answers_are_scored_each_against_its_own_truth(monkeypatch):
    monkeypatch.setattr(gain, "kodak", lambda _: Photos([photo()]))
    monkeypatch.setattr(gain, "photo_kinds", lambda _: {"shake-5-15": KIND})
    settings = GainSettings(bursts=1, photos=2, kinds="shake-5-15", shift=6, method="map")
    result = gain.run(settings, lambda _: None)
    row = dict(zip(result.tables[0].columns, result.tables[0].rows[0], strict=True))
    assert row["gain"] == pytest.approx(row["burst"] - row["best single answer"])
    assert row["photos used"] in {0, 1, 2}
    assert 10 < row["best photo"] < 60
    assert "from" in result.notes[0]


def test_kinds_that_are_not_known_are_named(monkeypatch):
    monkeypatch.setattr(gain, "photo_kinds", lambda _: {"shake-5-15": KIND})
    with pytest.raises(SettingsError, match="choose from: shake-5-15"):
        gain.run(GainSettings(kinds="shaken"), lambda _: None)
