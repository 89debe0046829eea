import pytest
import torch

from planted import draw_picture, plant, shake
from unblur.errors import TooLargeError
from unblur.methods.apply import restore_tensor
from unblur.methods.base import Restoration, Traits, ignore_step
from unblur.methods.plausibility import SMALLEST_SIDE, keep_plausible

BLURRY = plant(shake(9, 3, (9, 12)), (40, 52)).blurry.expand(1, 3, -1, -1).contiguous()
BLOWN = {
    "red": lambda image: image * torch.tensor([1.0, 0.4, 0.4]).view(1, 3, 1, 1),
    "bright": lambda image: image + 0.4,
    "noise": lambda image: image + 0.5 * torch.randn(image.shape, generator=torch.Generator().manual_seed(0)),
    "contrast": lambda image: image.mean() + 4 * (image - image.mean()),
    "other": lambda image: image.flip(-1, -2) * 0 + (image < image.mean()),
}


class Network:
    """Answers with a change of the photo, as a network with weights."""

    traits, settings, checkpoint = Traits(), None, type("Weights", (), {"name": "made", "sha256": "0"})

    def __init__(self, change) -> None:
        self.change = change

    def restore(self, blurry, options, on_step=ignore_step) -> Restoration:
        return Restoration(image=self.change(blurry))


@pytest.mark.parametrize("name", BLOWN)
def test_wrong_answers_are_not_given(name):
    answer = restore_tensor(BLURRY, Network(BLOWN[name]))
    torch.testing.assert_close(answer.image, BLURRY)
    assert "the answer was wrong" in answer.warnings[0]


def test_each_photo_of_a_batch_by_itself():
    good = BLURRY * 0.98
    kept, sentences = keep_plausible(BLURRY.repeat(2, 1, 1, 1), torch.cat([good, 1 - BLURRY]))
    torch.testing.assert_close(kept, torch.cat([good, BLURRY]))
    assert len(sentences) == 1


@pytest.mark.parametrize("seed", range(5))
def test_the_truth_passes(seed):
    kernel = shake(15, 3, (15, 20))
    planted = plant(kernel, (48, 64), seed=seed)
    kept, sentences = keep_plausible(planted.blurry, planted.sharp)
    assert sentences == ()
    torch.testing.assert_close(kept, planted.sharp)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (9, 7), (3, 30_000), (SMALLEST_SIDE - 1, 40)])
def test_photos_that_are_too_small_stay_as_they_are(size):
    def must_not_run(_):
        raise AssertionError

    blurry, seen = torch.rand(1, 3, *size), []
    answer = restore_tensor(blurry, Network(must_not_run), on_step=lambda step: seen.append(step.fraction))
    assert torch.equal(answer.image, blurry)
    assert "too small for a network" in answer.warnings[0]
    assert seen == [1.0]


def test_want_of_memory_is_one_sentence_after_small_tiles():
    sides = []

    def fail(part):
        sides.append(max(part.shape[-2:]))
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    network = Network(fail)
    network.traits = Traits(tile_halo=0, tile_side=512)
    with pytest.raises(TooLargeError, match="more memory than there is, also in small tiles; take less of the photo"):
        restore_tensor(draw_picture(512, 1024, 0), network)
    assert sides == [512, 256, 128]
