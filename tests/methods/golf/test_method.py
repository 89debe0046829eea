import pytest
import torch

from unblur.backbones.golf import first_shot, putt
from unblur.backbones.golf_inference import PreparedNet
from unblur.errors import CheckpointError, SettingsError
from unblur.methods.apply import restore_tensor
from unblur.methods.golf.method import Golf
from unblur.methods.golf.model import GolfOptimizer
from unblur.methods.golf.settings import GolfSettings
from unblur.methods.options import RestoreOptions
from unblur.weights.checkpoint import Checkpoint


def checkpoint() -> Checkpoint:
    torch.manual_seed(3)
    networks = GolfOptimizer(first_shot(), putt())
    for network in (networks.first_shot, networks.putt):
        torch.nn.init.normal_(network.tail.weight, std=0.002)
    return Checkpoint("made up", networks.state_dict(), {"arch": "golf"})


@pytest.fixture(scope="module")
def weights() -> Checkpoint:
    return checkpoint()


def blurry(height: int = 100, width: int = 110, count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(1))


def test_every_iterate_is_shown(weights):
    method = Golf(GolfSettings(iters=3, precision="float32"), weights)
    steps = []
    answer = restore_tensor(blurry(), method, RestoreOptions(), steps.append).image
    previews = [step.preview for step in steps if step.preview is not None]
    assert [step.stage for step in steps] == [
        "first shot",
        "refinement step 1 of 3",
        "refinement step 2 of 3",
        "refinement step 3 of 3",
    ]
    expected = list(method.networks.iterates(blurry()))
    assert all(torch.allclose(own, other, atol=1e-4) for own, other in zip(previews, expected, strict=True))
    assert torch.equal(answer, previews[-1].clamp(0, 1))
    assert steps[-1].fraction == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 33), (17, 2), (33, 33)])
def test_small_photos(weights, size):
    method = Golf(GolfSettings(iters=1), weights)
    image = blurry(*size)
    answer = restore_tensor(image, method, RestoreOptions()).image
    assert answer.shape == image.shape
    assert answer.isfinite().all()


@pytest.mark.parametrize(("size", "seen"), [((20, 600), (20, 600)), ((600, 95), (600, 95)), ((33, 40), (96, 96))])
def test_a_strip_costs_what_its_pixels_cost(weights, monkeypatch, size, seen):
    sizes = []
    whole = PreparedNet.whole
    monkeypatch.setattr(PreparedNet, "whole", lambda net, image: sizes.append(image.shape[-2:]) or whole(net, image))
    answer = restore_tensor(blurry(*size), Golf(GolfSettings(iters=1), weights), RestoreOptions()).image
    assert answer.shape[-2:] == size
    assert sizes == [seen] * 2


def test_a_strip_in_tiles(weights):
    method = Golf(GolfSettings(iters=0, whole=0.001, tile=64), weights)
    assert restore_tensor(blurry(20, 100), method, RestoreOptions()).image.shape[-2:] == (20, 100)


def test_no_contrast_no_change(weights):
    image = torch.full((1, 3, 40, 50), 0.3)
    assert torch.equal(restore_tensor(image, Golf(GolfSettings(), weights), RestoreOptions()).image, image)


def test_each_photo_of_a_batch_is_alone(weights):
    method = Golf(GolfSettings(iters=1), weights)
    images = torch.cat([blurry(), 0.5 * blurry().flip(-1)])
    together = restore_tensor(images, method, RestoreOptions()).image
    assert torch.equal(together[1:], restore_tensor(images[1:], method, RestoreOptions()).image)


def test_grey_photos(weights):
    image = blurry()[:, :1]
    assert restore_tensor(image, Golf(GolfSettings(iters=0), weights), RestoreOptions()).image.shape == image.shape


def test_tiles_tell_of_themselves(weights):
    method = Golf(GolfSettings(iters=1, whole=0, tile=64), weights)
    stages = []
    restore_tensor(blurry(), method, RestoreOptions(), lambda step: stages.append(step.stage))
    assert "first shot, tile 1 of 4" in stages
    assert stages[-1] == "refinement step 1 of 1"


def test_weights_of_something_else():
    with pytest.raises(CheckpointError, match="expected Golf Optimizer"):
        Golf(GolfSettings(), Checkpoint("x", {"a": torch.zeros(1)}))


@pytest.mark.parametrize("wrong", [{"iters": 21}, {"iters": -1}, {"tile": 8}, {"whole": -1.0}, {"whole": float("nan")}])
def test_settings_that_cannot_be(wrong):
    with pytest.raises(SettingsError):
        GolfSettings(**wrong)
