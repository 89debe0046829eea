from dataclasses import replace
from pathlib import Path

import pytest
import torch

from conftest import ROOT, photo_of
from unblur.backbones.dmphn import dmphn_1_2_4
from unblur.datasets.generated import make_kernel_synthesised
from unblur.errors import UsageError
from unblur.experiments.neurmap import ablation, motion, table1
from unblur.experiments.neurmap import weights as loss_weights
from unblur.experiments.neurmap.arms import BASELINE, BLURRY, Arm, score_arms
from unblur.experiments.neurmap.scores import Score
from unblur.experiments.neurmap.settings import (
    AblationSettings,
    MotionSettings,
    TableSettings,
    TrainingSettings,
    WeightSettings,
)
from unblur.methods.neurmap.model import Neurmap
from unblur.methods.neurmap.presets import PRESETS
from unblur.weights.safe_file import write_checkpoint

pytestmark = pytest.mark.usefixtures("quick_search")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Photos, two test pairs made of them, and weights: nothing in it is changed by the tests."""
    folder = tmp_path_factory.mktemp("neurmap")
    (folder / "photos").mkdir()
    for number in range(12):
        photo_of((72, 80), number).save(folder / "photos" / f"{number:02d}.png")
    list(make_kernel_synthesised([folder / "photos"], folder / "neurmap", variants=1))
    torch.manual_seed(0)
    network = Neurmap()
    deblurring = dmphn_1_2_4()
    deblurring.load_state_dict(network.deblurring.state_dict())
    write_checkpoint(folder / "n.safetensors", network.state_dict(), {})
    write_checkpoint(folder / "d.safetensors", deblurring.state_dict(), {})
    return folder


@pytest.fixture
def settings(folder) -> TableSettings:
    """Both methods have the same untrained deblurring network."""
    return TableSettings(str(folder / "d.safetensors"), str(folder / "n.safetensors"), str(folder))


@pytest.fixture
def quick(folder) -> TrainingSettings:
    """One step from the identity on small crops."""
    return TrainingSettings(
        str(ROOT / "recipes/neurmap/semi-small.yaml"), "", photos=str(folder / "photos"), data=str(folder),
        steps=1, size=32, limit=1, accelerator="cpu",
    )  # fmt: skip


@pytest.mark.timeout(600)
def test_arms_are_trained_and_scored(quick):
    seen: list[str] = []
    arms = {"two parts": Arm({"reblur": 0.0}, natural="sharp")}
    scores = score_arms(arms, "code", quick, seen.append)
    assert list(scores) == [BLURRY, BASELINE, "two parts"]
    assert all(len(values) == 1 for values in scores.values())
    assert scores[BASELINE] == scores[BLURRY], "the identity"
    assert scores["two parts"][0].psnr != scores[BLURRY][0].psnr
    assert seen[-1] == "two parts: scored on 1 images"


def planted(psnrs: dict[str, float]) -> dict[str, list[Score]]:
    return {name: [Score(value, 0.8, 4.0 - value / 10)] for name, value in psnrs.items()}


def test_ablation(monkeypatch):
    trained = dict(zip(ablation.ARMS, (21.0, 18.0, 19.0, 19.5, 21.5), strict=True))
    answer = planted({BLURRY: 20.0, BASELINE: 20.0, **trained})
    monkeypatch.setattr(ablation, "score_arms", lambda *_: answer)
    outcome = ablation.run(AblationSettings(), lambda _: None)
    assert [row[0] for row in outcome.tables[0].rows] == list(answer)
    *against_baseline, against_pairs = outcome.comparisons
    assert [item.verdict for item in against_baseline] == [
        "same direction",
        "same direction",
        "differs",
        "same direction",
    ]
    assert (against_baseline[-1].printed, against_baseline[-1].ours) == ("+0.93 dB", "+1.50 dB")
    assert against_pairs.ours == "+0.50 dB"


def test_arms_of_the_ablation():
    arms = ablation.ARMS
    used = {name for name, weight in PRESETS["code"].items() if weight}
    assert used - set(arms["pairs alone"].weights) == {"content"}
    assert not {"natural", "discriminator", "content"} & set(arms["Net1"].weights)
    assert set(arms["Net2"].weights) == {"natural", "discriminator"}
    assert [arms[name].natural for name in ("Net1", "Net3", "NeurMAP")] == ["sharp", "sharp", "both"]


def test_weights(monkeypatch):
    beta, alpha, default = loss_weights.ARMS
    answer = planted({BLURRY: 20.0, BASELINE: 20.0, beta: 19.0, alpha: 21.0, default: 20.5})
    monkeypatch.setattr(loss_weights, "score_arms", lambda *_: answer)
    outcome = loss_weights.run(WeightSettings(), lambda _: None)
    assert [item.verdict for item in outcome.comparisons] == ["same direction", "differs", "matches"]
    assert [item.ours for item in outcome.comparisons] == ["-1.50 dB", "+0.50 dB", "-0.05 NIQE"]
    answer[alpha] = [Score(21.0, 0.8, None)]
    assert loss_weights.run(WeightSettings(), lambda _: None).comparisons[-1].verdict == "cannot be said"


def test_motion(settings):
    seen: list[str] = []
    outcome = motion.run(MotionSettings(settings.weights, settings.data, shown=1), seen.append)
    assert len(seen) == 2
    assert set(outcome.figures) == {"motion"}
    [table] = outcome.tables
    assert [row[0] for row in table.rows[:1]] == ["mean"]
    assert len(table.rows) == 3
    over_none, relative_over_none, over_mean = outcome.comparisons
    assert {item.verdict for item in (over_none, relative_over_none, over_mean)} <= {"differs", "cannot be said"}


def test_the_error_of_the_mean_motion():
    """By brute force."""
    fields = torch.rand(3, 1, 2, 4, 5, generator=torch.Generator().manual_seed(0)) * 10
    none = [float(field.square().mean()) for field in fields]
    items = [
        motion._Found("", field, field, field, 0.0, 0.0, 0.0, error) for field, error in zip(fields, none, strict=True)
    ]
    centre = fields.mean((0, 1, 3, 4))[:, None, None]
    expected = float((fields - centre).square().mean())
    assert motion._error_of_mean(items) == pytest.approx(expected, rel=1e-5)


def test_table(settings):
    seen: list[str] = []
    outcome = table1.run(settings, seen.append)
    table = outcome.tables[0]
    assert len(seen) == 2
    assert [row[0] for row in table.rows] == [
        "blurry", "DMPHN", "DMPHN + NeurMAP", "DMPHN + NeurMAP, then descent",
    ]  # fmt: skip
    blurry, without, with_it, descended = table.rows
    assert without[1] == pytest.approx(with_it[1], abs=0.1), "the same network"
    assert blurry[1] > without[1], "an untrained network is no help"
    assert descended[1] != with_it[1]
    gain, _, *motions = outcome.comparisons
    assert gain.verdict == "cannot be said", "the same network twice has no gain"
    assert all("square pixels" in motion.ours for motion in motions)


def test_without_recipes_one_sentence_says_so(quick):
    with pytest.raises(UsageError, match=r"no recipe 'recipes/none.yaml' here; recipes are part of a clone"):
        score_arms({}, "code", replace(quick, recipe="recipes/none.yaml"), lambda _: None)
