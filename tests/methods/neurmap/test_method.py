import json

import pytest
import torch

from unblur.errors import CheckpointError, SettingsError
from unblur.methods.apply import restore_tensor
from unblur.methods.loading import load_method
from unblur.methods.neurmap.model import Neurmap
from unblur.methods.neurmap.motion import mean_over_views
from unblur.methods.neurmap.posterior import descend_along_motion
from unblur.methods.neurmap.reblur import reblur
from unblur.methods.options import RestoreOptions
from unblur.metrics.psnr import validation_psnr
from unblur.weights.checkpoint import Checkpoint


@pytest.fixture(scope="module")
def network() -> Neurmap:
    torch.manual_seed(0)
    return Neurmap().requires_grad_(False)


def photo(height: int = 32, width: int = 48) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def test_answer_and_motion_are_those_of_the_networks(network):
    checkpoint = Checkpoint("made up", network.state_dict(), {"arch_config": network.config()})
    method = load_method("neurmap", {"precision": "float32", "steps": 0}, checkpoint)
    blurry, seen = photo(), []
    answer = restore_tensor(blurry, method, RestoreOptions(), seen.append)
    restored = network(blurry)
    assert torch.allclose(answer.image, restored.clamp(0, 1), atol=1e-5)
    down, right = 40 * (network.see(blurry) - network.see(restored.clamp(0, 1)))[0]
    assert torch.allclose(answer.motion_field, torch.stack((right, down))[None], atol=1e-3)
    assert [step.stage for step in seen][-1] == "restored"
    assert {"restoring", "estimating motion"} <= {step.stage for step in seen}


def test_the_motion_is_the_one_that_the_answer_was_moved_along(network):
    checkpoint, blurry, seen = Checkpoint("made up", network.state_dict()), photo(), []
    method = load_method("neurmap", {"precision": "float32", "steps": 3}, checkpoint)
    answer = restore_tensor(blurry, method, RestoreOptions(), seen.append)
    motion = mean_over_views(network.motion, blurry)
    assert torch.allclose(answer.motion_field, 40 * motion.flip(1), atol=1e-3)
    expected = descend_along_motion(blurry, network(blurry).clamp(0, 1), motion, 3, lambda _: None)
    assert torch.allclose(answer.image, expected, atol=1e-3)
    assert [step.fraction for step in seen] == sorted(step.fraction for step in seen)
    with pytest.raises(SettingsError, match="0 or more, not -1"):
        load_method("neurmap", {"steps": -1}, checkpoint)


def test_descent_finds_the_photo_behind_a_known_motion():
    sharp = torch.nn.functional.interpolate(photo(12, 12), scale_factor=8)
    motion = torch.tensor([0.1, 0.25]).view(1, 2, 1, 1).expand(1, 2, 96, 96)
    blurry, steps = reblur(sharp, motion, outside="border"), []
    found = descend_along_motion(blurry, blurry, motion, 30, steps.append)
    before, after = validation_psnr(blurry, sharp), validation_psnr(found, sharp)
    assert after > before + 4
    assert steps == sorted(steps)
    assert len(steps) == 30 + 8
    assert steps[-1] == 1


def test_the_field_has_the_size_of_the_photo(network):
    method = load_method("neurmap", weights=Checkpoint("made up", network.state_dict()))
    answer = restore_tensor(photo(19, 21), method, RestoreOptions())
    assert answer.motion_field.shape == (1, 2, 19, 21)
    still = restore_tensor(torch.full((1, 3, 20, 20), 0.4), method, RestoreOptions())
    assert still.motion_field.abs().max() == 0


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (json.dumps({"deblurring": "restormer"}), "a deblurring network 'restormer', which is not known"),
        ("[]", "arch_config is no JSON object"),
        ("{", "arch_config cannot be read"),
        (json.dumps({"deblurring": "dmphn-1-2-4-8"}), r"is NeurMAP \(DMPHN \(1-2-4\)\), expected NeurMAP"),
    ],
)
def test_weights_of_another_network(network, config, told):
    with pytest.raises(CheckpointError, match=told):
        load_method("neurmap", weights=Checkpoint("made up", network.state_dict(), {"arch_config": config}))
