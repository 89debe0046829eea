import json

import pytest
import torch

from unblur.blur.borders import Padding, pad_reflect, pad_to_multiple
from unblur.errors import CheckpointError, SettingsError
from unblur.methods.apply import restore_tensor
from unblur.methods.loading import load_method
from unblur.methods.neurmap.fusion import FusionNet
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


@pytest.fixture(scope="module")
def fused() -> Neurmap:
    torch.manual_seed(1)
    networks = Neurmap("golf", fusion=FusionNet())
    torch.nn.init.normal_(networks.deblurring.tail.weight, std=0.002)
    torch.nn.init.normal_(networks.fusion.tail.weight, std=0.02)
    return networks.requires_grad_(False)


def made_of(networks: Neurmap, **settings: object):
    checkpoint = Checkpoint("made up", networks.state_dict(), {"arch_config": networks.config()})
    return load_method("neurmap", {"precision": "float32", "steps": 3, **settings}, checkpoint)


def test_the_fusion_network_joins_both_answers(fused):
    blurry, seen = photo(96, 112), []
    restored = fused(blurry).clamp(0, 1)
    motion = mean_over_views(fused.motion, blurry)
    descended = descend_along_motion(blurry, restored, motion, 3, lambda _: None)
    joined = fused.fusion(FusionNet.stack(blurry, restored, descended, motion))
    answer = restore_tensor(blurry, made_of(fused), RestoreOptions(), seen.append)
    assert torch.allclose(answer.image, joined.clamp(0, 1), atol=1e-3)
    assert (joined - descended).abs().mean() > 0.01
    assert [step.fraction for step in seen] == sorted(step.fraction for step in seen)
    assert "joining both" in {step.stage for step in seen}
    for settings, expected in (({"fusion": False}, descended), ({"steps": 0}, restored)):
        answer = restore_tensor(blurry, made_of(fused, **settings), RestoreOptions())
        assert torch.allclose(answer.image, expected, atol=1e-3)


def test_small_photos_are_continued_for_a_network_that_normalises(fused):
    small = photo(20, 33)
    answer = restore_tensor(small, made_of(fused), RestoreOptions())
    assert answer.image.shape == small.shape
    assert answer.motion_field.shape == (1, 2, 20, 33)
    larger = pad_reflect(pad_to_multiple(small, 16)[0], Padding(0, 48, 0, 64))
    whole = restore_tensor(larger, made_of(fused), RestoreOptions())
    assert torch.allclose(answer.image, whole.image[..., :20, :33], atol=1e-4)


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
