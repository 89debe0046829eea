"""Learned blur for photos of any size, and as training samples."""

import pytest
import torch

from unblur.errors import CheckpointError, SettingsError, ShapeError
from unblur.methods.kernel_space.filters import reduced_kernel_space
from unblur.methods.kernel_space.model import KernelSpace, PublishedSpace
from unblur.methods.kernel_space.operations import transfer_blur
from unblur.methods.kernel_space.photos import blur_by_sample, find_blur, transfer_to_photo
from unblur.methods.kernel_space.streams import LearnedBlurStream
from unblur.weights.safe_file import write_checkpoint


def tiny(*, variational: bool = False) -> KernelSpace:
    torch.manual_seed(0)
    network = PublishedSpace(width=8, code=6, front=1, back=1, blocks=1, variational=variational, signed=True)
    for weight in network.kernel_extractor.parameters():
        torch.nn.init.normal_(weight, 0.05, (2 / weight[0].numel()) ** 0.5)
    return network.eval().requires_grad_(False)


def photo(height: int, width: int, seed: int = 0, channels: int = 3) -> torch.Tensor:
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(seed))


def blurred(image: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(image, 3, 1, 1)


def test_in_one_window_it_is_transfer():
    network, sharp, target = tiny(), photo(128, 128), photo(128, 128, 1)
    found = find_blur(network, sharp, blurred(sharp), 128)
    torch.testing.assert_close(
        transfer_to_photo(network, found, target), transfer_blur(network, sharp, blurred(sharp), target)
    )


@pytest.mark.parametrize("size", [(1, 1), (128, 300), (90, 140)])
@pytest.mark.parametrize("channels", [1, 3])
def test_targets_of_any_size(size, channels):
    network, sharp = tiny(), photo(140, 150)
    found = find_blur(network, sharp, blurred(sharp), 128)
    assert len(found.codes) == 4
    target = photo(*size, channels=channels)
    answer = transfer_to_photo(network, found, target)
    assert answer.shape == target.shape
    assert 0 <= answer.min() <= answer.max() <= 1


def test_each_place_has_the_blur_of_the_same_place():
    network, sharp = tiny(), photo(128, 220)
    found = find_blur(network, sharp, blurred(sharp), 128)
    left, right = found.codes
    assert torch.equal(found.at(0.5, 0.1), left)
    assert torch.equal(found.at(0.9, 0.8), right)


@pytest.mark.usefixtures("wrong_shapes")
def test_pairs_of_two_sizes_are_refused():
    with pytest.raises(ShapeError, match="one size, not 9x8 and 8x8"):
        find_blur(tiny(), photo(8, 9), photo(8, 8), 128)


def test_only_variational_networks_invent():
    target = photo(60, 70)
    first, again, other = (
        blur_by_sample(tiny(variational=True), target, 128, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    with pytest.raises(CheckpointError, match="variational"):
        blur_by_sample(tiny(), target, 128, torch.Generator())


class Pairs:
    """Samples made of noise."""

    def sample(self, index):
        sharp = photo(64, 64, index)
        return {"blurry": blurred(sharp)[0], "sharp": sharp[0]}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    network = reduced_kernel_space(signed=True)
    path = tmp_path_factory.mktemp("weights") / "space.safetensors"
    config = '{"size": "reduced", "signed": true, "window": 128}'
    write_checkpoint(path, network.state_dict(), {"arch": "kernel-space", "arch_config": config})
    return str(path)


def test_a_share_of_the_samples_has_learned_blur(weights):
    stream = LearnedBlurStream(Pairs(), weights, share=0.5, seed=3)
    changed = []
    for index in range(12):
        sample, plain = stream.sample(index), Pairs().sample(index)
        assert torch.equal(sample["sharp"], plain["sharp"])
        assert sample["blurry"].shape == plain["blurry"].shape
        changed.append(not torch.equal(sample["blurry"], plain["blurry"]))
        assert torch.equal(sample["blurry"], stream.sample(index)["blurry"]), "a sample is always the same"
    assert 2 < sum(changed) < 10


def test_streams_that_cannot_be(weights):
    with pytest.raises(SettingsError, match="share takes a number from 0 to 1"):
        LearnedBlurStream(Pairs(), weights, share=2)
    with pytest.raises(CheckpointError, match="variational"):
        LearnedBlurStream(Pairs(), weights, how="sample")
