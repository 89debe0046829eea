"""The experiments with weak supervision as wholes, as short as possible."""

import pytest
import torch

from planted import draw_picture, plant, shake
from unblur.datasets.pairs import Pair
from unblur.errors import SettingsError
from unblur.experiments.selfdeblur import ablation, noise, nonuniform, runs, stopping, teachers
from unblur.experiments.selfdeblur import photos as photo_sets
from unblur.experiments.selfdeblur.photos import Photo, open_photos, scenes, synthetic_photos
from unblur.experiments.selfdeblur.runs import Run, Watch, teacher_for
from unblur.experiments.selfdeblur.settings import (
    AblationSettings,
    NoiseSettings,
    NonUniformSettings,
    StoppingSettings,
    TeacherSettings,
)
from unblur.methods.loading import load_method
from unblur.methods.optimisation.stopping import Never, Plateau, Threshold
from unblur.methods.optimisation.teachers import CatalogTeacher
from unblur.methods.selfdeblur import method as selfdeblur

pytestmark = pytest.mark.usefixtures("quick_search")

SHORT = {"preset": "smoke", "steps": 5, "limit": 1}


@pytest.fixture(autouse=True)
def photos(monkeypatch):
    """Drawn pictures in the place of BSDS500, and one planted pair in that of the data sets."""
    planted = plant(shake(9, 3), (104, 100))
    pair = Pair(name="planted", blurry=planted.blurry, sharp=planted.sharp, kernel=planted.kernel, encoding="encoded")
    monkeypatch.setattr(photo_sets, "open_dataset", lambda name, data: [pair])

    def drawn(split, limit, data, colour):
        tint = torch.tensor([1.0, 0.8, 0.6] if colour else [1.0]).view(1, -1, 1, 1)
        return [(f"{split}-{number}", draw_picture(150, 160, number) * tint) for number in range(limit)]

    monkeypatch.setattr(photo_sets, "_bsds", drawn)


@pytest.fixture(autouse=True)
def short_search(monkeypatch):
    """The kernel's size comes from a search by `map`, here from a shorter one: else it takes most of the time."""
    short = CatalogTeacher("map", load_method("map", {"hypotheses": 1, "first_box": 15}))
    load = selfdeblur.load_teacher

    def load_shorter(name, *given, **named):
        return short if name == "map" else load(name, *given, **named)

    monkeypatch.setattr(selfdeblur, "load_teacher", load_shorter)


def test_a_teacher_with_the_truth_helps():
    settings = AblationSettings(crop=88, teachers="oracle", preset="smoke", steps=40)
    outcome = ablation.run(settings, lambda _: None)
    fit, taught = outcome.tables[0].rows
    assert (fit[:2], taught[:2]) == (["oracle", "fit"], ["oracle", "fit, weak"])
    assert taught[2] > fit[2]
    columns = outcome.tables[0].columns
    for row in (dict(zip(columns, row, strict=True)) for row in (fit, taught)):
        assert row["PSNR at the best step"] >= row["PSNR"]
        assert row["error ratio"] > 1, "40 steps are no match for the true kernel"
        assert row["spectral ratio"] > 1
        assert 0 < row["kernel RMSE"] < 0.1
        assert row["steps"] == 40
    assert outcome.comparisons[0].claim == "gain by the image of oracle"
    assert set(outcome.figures) == {"curves"}


@pytest.mark.slow
def test_every_arm_has_its_row():
    said = []
    settings = AblationSettings(crop=88, teachers="identity", preset="smoke")
    rows = ablation.run(settings, said.append).tables[0].rows
    assert [row[1] for row in rows] == list(ablation.ARMS)
    assert len(said) == len(rows)
    assert torch.tensor([row[2:] for row in rows]).isfinite().all()


def test_teachers_are_scored_alone_and_swept():
    settings = TeacherSettings(**SHORT, crop=96, teachers="identity", strengths="1", suites="levin,scenes")
    outcome = teachers.run(settings, lambda _: None)
    alone, weights = outcome.tables
    assert [row[:2] for row in alone.rows] == [
        ["identity", f"{suite} (1)"] for suite in ("levin", "scenes", "synthetic")
    ]
    assert all(row[4] == pytest.approx(0, abs=1e-6) for row in alone.rows), "the photo itself gains nothing"
    assert [row[1:3] for row in weights.rows] == [[0.0, "-"], [1.0, "falling"], [1.0, "constant"]]
    assert len(outcome.comparisons) == 1


def test_rules_are_evaluated_and_stop_nothing():
    settings = StoppingSettings(
        **SHORT, suite="synthetic", crop=96, teachers="identity", calibration=1, calibration_crop=96, points=5
    )
    outcome = stopping.run(settings, lambda _: None)
    rules = {row[1]: row for row in outcome.tables[0].rows}
    assert list(rules) == [
        "none", "oracle", "threshold x 0.5", "threshold x 1", "threshold x 2", "plateau", "variance"
    ]  # fmt: skip
    assert rules["none"][4] == SHORT["steps"]
    assert rules["none"][5] == rules["oracle"][3] == 0
    assert all(row[3] >= 0 and row[4] <= SHORT["steps"] for row in rules.values())


@pytest.mark.slow
def test_layers_are_scored_apart():
    settings = NonUniformSettings(**SHORT, crop=96, teachers="identity")
    outcome = nonuniform.run(settings, lambda _: None)
    arms = [row[1] for row in outcome.tables[0].rows]
    assert arms == ["blurry", "teacher alone", *nonuniform.ARMS]
    blurry, alone = outcome.tables[0].rows[:2]
    assert blurry[2:] == pytest.approx(alone[2:])


def test_photos_in_colour_are_scored_in_colour():
    settings = NonUniformSettings(**SHORT, crop=96, teachers="identity", colour=True)
    [scene] = open_photos("scenes", 1, 96, colour=True)
    assert scene.blurry.shape == (1, 3, 96, 96)
    blurry, alone, *fits = nonuniform.run(settings, lambda _: None).tables[0].rows
    assert blurry[2] == pytest.approx(scene.psnr, abs=1e-3)
    assert blurry[2:] == pytest.approx(alone[2:])
    assert all(10 < row[2] < 60 for row in fits)


def test_teachers_get_their_own_weights(monkeypatch):
    asked = {}
    monkeypatch.setattr(runs, "load_teacher", lambda name, weights: asked.update({name: weights}))
    settings = NonUniformSettings(weights="dmphn=parts, nafnet=./file.pth")
    for name in ("dmphn", "nafnet", "map"):
        teacher_for(name, settings, None)
    assert asked == {"dmphn": "parts", "nafnet": "./file.pth", "map": ""}
    with pytest.raises(SettingsError, match="weights takes NAME=VALUE"):
        NonUniformSettings(weights="file.pth")


@pytest.mark.slow
def test_each_noise_has_each_weight():
    settings = NoiseSettings(**SHORT, crop=96, teacher="identity", noises="0,0.05", variations="0,0.1")
    rows = noise.run(settings, lambda _: None).tables[0].rows
    assert [(row[0], row[2]) for row in rows] == [(0, 0), (0, 0.1), (0.05, 0), (0.05, 0.1)]
    assert rows[0][1] > rows[2][1], "noise costs"


def test_a_score_by_layers_looks_where_the_layer_is():
    [scene] = scenes(1, 96)
    assert scene.blurry.shape == scene.sharp.shape == scene.mask.shape == (1, 1, 96, 96)
    noise = 0.1 * torch.rand(scene.sharp.shape, generator=torch.Generator().manual_seed(0))
    spoiled = (scene.sharp * 0.8) + noise * scene.mask
    clean = nonuniform.score_layers(scene.sharp * 0.8, scene)
    layers = nonuniform.score_layers(spoiled, scene)
    assert layers.background == pytest.approx(clean.background, abs=0.2)
    assert abs(layers.moving - clean.moving) > 0.3


def test_photos_are_always_the_same():
    first, again = (synthetic_photos(2, 96) for _ in range(2))
    assert all(torch.equal(one.blurry, other.blurry) for one, other in zip(first, again, strict=True))
    [noisy] = synthetic_photos(1, 96, noise=0.05)
    assert torch.equal(noisy.sharp, first[0].sharp), "noise changes nothing else"
    assert noisy.psnr < first[0].psnr
    assert open_photos("levin", crop=88)[0].sharp.shape == (1, 1, 88, 88)


def watched(quantities, psnr, restarts=()) -> Run:
    sharp = torch.zeros(1, 1, 4, 4)
    watch = Watch(Never(every=1), sharp, 1)
    watch.quantities, watch.psnr, watch.restarts = list(enumerate(quantities)), psnr, list(restarts)
    photo = Photo("made", sharp, sharp, "encoded", 10.0)
    return Run(photo, sharp, psnr[max(psnr)], 0.9, 0.01, 1.0, 1.0, len(quantities), 1.0, watch)


def test_a_replay_is_the_rule():
    run = watched([1.0] * 10 + [0.0] * 40, {50: 20.0})
    rule = Threshold(0.5, patience=3, after=5, every=1)
    assert stopping.replay(run.watch, rule) == 19
    patient = {"patience": 25, "after": 10, "every": 1}
    assert stopping.replay(watched([0.0] * 50, {50: 20.0}).watch, Threshold(0.5, **patient)) == 35
    late = watched([0.0] * 60, {60: 20.0}, restarts=[30])
    assert stopping.replay(late.watch, Threshold(0.5, **patient)) == 55, "the count began anew"
    assert stopping.replay(late.watch, Plateau(over=100, every=1)) is None


def test_the_threshold_with_the_best_stop_is_chosen():
    falling = [0.5 * 0.97**step for step in range(200)]
    psnr = {step: 30.0 - abs(step - 120) / 10 for step in range(10, 201, 10)}
    run = watched(falling, psnr)
    [stop] = stopping._stops([run], stopping.choose_threshold([run]))["threshold x 1"]
    assert stop.steps == pytest.approx(120, abs=6)
    assert stop.loss < 0.7


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: AblationSettings(seeds=0), "seeds takes a number from 1 up, not 0"),
        (lambda: StoppingSettings(points=0), "points takes a number from 1 up, not 0"),
        (lambda: NoiseSettings(noises="0,much"), "noises takes numbers from 0 up, separated by commas"),
        (lambda: TeacherSettings(strengths="-1"), "strengths takes numbers from 0 up"),
    ],
)
def test_settings_are_checked(wrong, told):
    with pytest.raises(SettingsError, match=told):
        wrong()
