"""The method, on the reduced networks as a training begins with them: small photos, few steps."""

import pytest
import torch

from planted import draw_picture, plant, psnr, shake
from unblur.errors import Cancelled, CheckpointError, SettingsError
from unblur.methods.apply import restore_tensor
from unblur.methods.base import ignore_step
from unblur.methods.kernel_space.filters import FilterSpace, reduced_kernel_space
from unblur.methods.kernel_space.loading import load_kernel_space, window_of
from unblur.methods.kernel_space.model import full_kernel_space
from unblur.methods.kernel_space.settings import KernelSpaceSettings
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.weights.checkpoint import Checkpoint

pytestmark = pytest.mark.usefixtures("quick_search")


@pytest.fixture(autouse=True)
def any_answer_is_taken(monkeypatch):
    """Untrained networks and tiny photos give answers that no photo could have."""
    monkeypatch.setattr("unblur.methods.pipeline.is_too_small", lambda blurry: False)
    monkeypatch.setattr("unblur.methods.pipeline.keep_plausible", lambda blurry, restored: (restored, ()))


SMOKE = {"preset": "smoke", "steps": 3, "warm_steps": 1, "width": 4, "teacher": "none", "hold": 0}


@pytest.fixture(scope="module")
def checkpoint():
    torch.manual_seed(0)
    network = reduced_kernel_space(signed=True)
    config = '{"size": "reduced", "signed": true, "window": 128}'
    return Checkpoint("made up", dict(network.state_dict()), {"arch_config": config})


@pytest.fixture(scope="module")
def blurry():
    return plant(shake(9, 3), (80, 90)).blurry.expand(-1, 3, -1, -1)


def restored(blurry, checkpoint, options=None, on_step=ignore_step, **settings):
    return restore_tensor(blurry, load_method("kernel-space", SMOKE | settings, checkpoint), options, on_step)


def test_a_blind_run(blurry, checkpoint):
    steps = []
    answer = restored(blurry, checkpoint, on_step=steps.append)
    assert answer.image.shape == blurry.shape
    assert not torch.equal(answer.image, blurry)
    assert answer.facts["distance"] == "noVGG"
    assert (answer.facts["windows"], answer.facts["steps"], answer.facts["fitted_size"]) == (1, 3, "90x80")
    assert {name: len(values) for name, values in answer.history.items()} == dict.fromkeys(
        ("loss", "criterion", "distance", "structure", "norm", "edges"), 3
    )
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


@pytest.mark.slow
@pytest.mark.parametrize("light", ["encoded", "linear"])
def test_the_shipped_weights_keep_what_the_teacher_gains(light):
    """Also where the photo was blurred in its stored values, not in linear light as the pairs of the training."""
    photo, options = plant(shake(9, 3), (96, 96), light=light), RestoreOptions(encoding=light)
    teacher = restore_tensor(photo.blurry, load_method("map"), options).image
    answer = restore_tensor(photo.blurry, load_method("kernel-space", {"preset": "fast"}), options)
    assert psnr(answer.image, photo.sharp) > max(photo.psnr + 3, psnr(teacher, photo.sharp) - 0.5)
    assert answer.facts["teacher"] == "map"


@pytest.mark.slow
def test_where_the_teacher_finds_no_blur_nothing_is_fitted(checkpoint):
    sharp = draw_picture(160, 160).expand(-1, 3, -1, -1)
    answer = restored(sharp, checkpoint, teacher="map", window=160)
    assert torch.equal(answer.image, sharp)
    assert "steps" not in answer.facts
    assert answer.warnings


def test_any_method_can_be_the_teacher(blurry, checkpoint):
    steps = []
    answer = restored(blurry, checkpoint, on_step=steps.append, teacher="dublid", hold=1)
    assert (answer.facts["teacher"], answer.facts["steps"]) == ("dublid", 3)
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert any(step.stage.startswith("teacher: ") for step in steps)


def test_the_seed_decides(blurry, checkpoint):
    first, again, other = (restored(blurry, checkpoint, RestoreOptions(seed=seed)).image for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_windows_are_fitted_one_by_one(checkpoint):
    photo = torch.rand(1, 3, 70, 200, generator=torch.Generator().manual_seed(1))
    steps = []
    answer = restored(photo, checkpoint, on_step=steps.append, turns="alternating")
    assert (answer.facts["windows"], answer.facts["steps"]) == (2, 6)
    assert len(answer.history["loss"]) == 6
    assert [step.fraction for step in steps] == sorted(step.fraction for step in steps)


def test_a_large_photo_is_fitted_smaller(checkpoint):
    photo = torch.rand(1, 1, 160, 160, generator=torch.Generator().manual_seed(2))
    answer = restored(photo, checkpoint, pixels=80 * 80)
    assert answer.image.shape == photo.shape
    assert answer.facts["fitted_size"] == "80x80"
    assert "fitted at 80x80 pixels" in answer.warnings[0]
    change = answer.image - photo
    assert change.std() < photo.std(), "the fine grain of the photo is kept"


def test_small_photos_and_constant_ones_are_left_alone(checkpoint):
    for photo, told in ((torch.rand(1, 3, 63, 99), "below 64 pixels"), (torch.full((1, 3, 80, 80), 0.4), "one tone")):
        answer = restored(photo, checkpoint)
        assert torch.equal(answer.image, photo)
        assert told in answer.warnings[0]


def test_a_cancelled_run_goes_on_from_its_state(blurry, checkpoint, tmp_path):
    state = str(tmp_path / "photo.state")
    whole = restored(blurry, checkpoint)

    def stop(step):
        if "step 2 of 3" in step.stage and step.stage.startswith("fitting"):
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        restored(blurry, checkpoint, on_step=stop, state=state)
    assert torch.equal(restored(blurry, checkpoint, state=state).image, whole.image)


def test_a_state_is_of_one_window(checkpoint, tmp_path):
    photo = torch.rand(1, 3, 70, 200)
    with pytest.raises(SettingsError, match="state keeps the run of one window"):
        restored(photo, checkpoint, state=str(tmp_path / "state"))
    with pytest.raises(SettingsError, match="state keeps the run of one photo"):
        restored(torch.rand(2, 3, 70, 70), checkpoint, state=str(tmp_path / "state"))


def test_networks_tell_what_they_are(checkpoint):
    assert window_of(checkpoint) == 128
    assert isinstance(load_kernel_space(checkpoint), FilterSpace)
    with torch.device("meta"):
        released = Checkpoint("GOPRO_wVAE.pth", dict(full_kernel_space(variational=True).state_dict()))
    assert window_of(released) == 256


def test_weights_of_another_network_are_refused():
    with pytest.raises(CheckpointError, match="expected the full kernel space"):
        load_method("kernel-space", {}, Checkpoint("other", {"conv.weight": torch.ones(2)}))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"steps": -5}, "steps takes a number from 1 up, or 0"),
        ({"pixels": 9}, "pixels takes a number from 4096 up"),
        ({"window": 64}, "window takes a number from 128 up"),
        ({"warm_steps": -2}, "warm_steps takes a number from 0 up, or -1"),
        ({"norm": float("nan")}, "norm takes a number from 0 up"),
        ({"hold": 1.5}, "hold takes a number from 0 to 1, or -1"),
        ({"teacher_weights": "some"}, "teacher_weights is for a trained teacher"),
    ],
)
def test_settings_that_make_no_sense(wrong, told):
    with pytest.raises(SettingsError, match=told):
        KernelSpaceSettings(**wrong)
