"""The experiments run and report; their findings need more steps than a test has."""

import pytest
import torch

from unblur.experiments.golf import forgetting, perceptual_weight, refine, runtime
from unblur.experiments.golf.data import moving_scenes
from unblur.experiments.golf.forgetting import pose_task
from unblur.experiments.golf.settings import ForgettingSettings, LambdaSettings, RefineSettings, RuntimeSettings
from unblur.losses.perceptual import vgg11_bn_features
from unblur.weights.safe_file import write_checkpoint

pytestmark = pytest.mark.usefixtures("quick_search")


@pytest.fixture
def root(data_folder, monkeypatch):
    monkeypatch.setenv("UNBLUR_DATA", str(data_folder))


def test_test_crops_are_always_the_same(root):
    few, more = moving_scenes(2, 48), moving_scenes(3, 48)
    for one, again in zip(few, more, strict=False):
        assert one.blurry.shape == (1, 3, 48, 48)
        assert torch.equal(one.blurry, again.blurry)
        assert torch.equal(one.sharp, again.sharp)
        assert not torch.equal(one.blurry, one.sharp)


@pytest.mark.parametrize(("task", "kept"), [("keep", 4), ("both", 2), ("deblur", 0)])
def test_tasks(task, kept):
    batch = {"blurry": torch.zeros(4, 3, 2, 2), "sharp": torch.ones(4, 3, 2, 2)}
    given, wanted = pose_task(batch, task)
    assert given.sum() == kept * 12
    assert torch.equal(wanted, batch["sharp"])


def test_forgetting(root):
    settings = ForgettingSettings(steps=2, every=1, batch=2, size=32, crops=1)
    outcome = forgetting.run(settings, lambda _: None)
    [curves] = outcome.tables
    assert [row[1] for row in curves.rows] == [0, 1, 2, 3, 4] * 4
    starts = [row[2:] for row in curves.rows if row[1] == 0]
    assert starts == [[60.0, 0.0]] * 4, "the identity copies exactly and gains nothing"
    a, b = (curves.rows[place : place + 5] for place in (0, 5))
    assert [row[2:] for row in a[:3]] == [row[2:] for row in b[:3]], "the same first phase"
    assert a[4][2:] != b[4][2:]
    assert len(outcome.comparisons) == 4


@pytest.mark.slow
def test_forgetting_from_shipped_weights(root):
    settings = ForgettingSettings(steps=1, every=1, batch=2, size=32, crops=1, start="golf")
    outcome = forgetting.run(settings, lambda _: None)
    starts = [row[2:] for row in outcome.tables[0].rows if row[1] == 0]
    assert starts == [starts[0]] * 4, "schedules do not learn on one another's weights"
    assert 20 < starts[0][0] < 60, "no identity; small crops are not what it learned on"
    assert any("was trained on both tasks" in note for note in outcome.notes)


@pytest.mark.slow
def test_forgetting_of_a_fast_learner(root):
    settings = ForgettingSettings(steps=1, every=1, batch=2, size=16, crops=1, learner="fast")
    outcome = forgetting.run(settings, lambda _: None)
    starts = [row[2:] for row in outcome.tables[0].rows if row[1] == 0]
    assert torch.tensor(starts).allclose(torch.tensor([60.0, 0.0]).expand(4, 2), atol=1e-6)
    assert any("Muon" in note for note in outcome.notes)


def test_lambda_without_vgg_says_so(root):
    outcome = perceptual_weight.run(LambdaSettings(steps=1, batch=1, size=32, crops=2), lambda _: None)
    assert [row[0] for row in outcome.tables[0].rows] == ["blurry image", "0"]
    assert all(item.verdict == "cannot be said" for item in outcome.comparisons)
    assert any("VGG-11 were not given" in note for note in outcome.notes)


@pytest.mark.slow
def test_lambda_with_vgg_balances_first(root, tmp_path):
    torch.manual_seed(0)
    tensors = {f"features.{name}": value for name, value in vgg11_bn_features().state_dict().items()}
    write_checkpoint(tmp_path / "vgg.safetensors", tensors, {})
    settings = LambdaSettings(vgg=str(tmp_path / "vgg.safetensors"), steps=1, batch=1, size=32, crops=2)
    rows = perceptual_weight.run(settings, lambda _: None).tables[0].rows
    weights = [row[1] for row in rows[1:]]
    assert weights[1] > 0
    assert [weight / weights[1] for weight in weights] == pytest.approx([2e-5, 1, 40, 2000])


def test_runtime():
    outcome = runtime.run(RuntimeSettings(side=40, putts=1, warmups=1, runs=2), lambda _: None)
    sizes = [item for item in outcome.comparisons if item.claim.startswith("size")]
    assert [item.verdict for item in sizes] == ["matches"] * 3
    most, least, mean = outcome.tables[0].rows[0][1:]
    assert most >= mean >= least > 0


def test_refine_compares_with_each_alone(root):
    outcome = refine.run(RefineSettings(crops=1, size=64, kernel_size=9), lambda _: None)
    [table] = outcome.tables
    assert [row[0] for row in table.rows] == ["blurry", "golf", "map", "map, refined by golf"]
    assert table.rows[0][2] == 0
    assert len({row[1] for row in table.rows}) == 4, "every method gives an image of its own"
