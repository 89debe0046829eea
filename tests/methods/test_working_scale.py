"""The scale at which a planted network sharpens, and what comes back to the full size."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from unblur.errors import Cancelled, SettingsError
from unblur.methods.apply import restore_tensor
from unblur.methods.backbone.settings import MaximSettings
from unblur.methods.base import Restoration, Step, Traits, ignore_step
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions
from unblur.methods.transforms import Shrink
from unblur.methods.working_scale import choose_scale
from unblur.weights.checkpoint import Checkpoint

SIDE = 512
BAR = 64
choose = partial(choose_scale, largest=SIDE**2, multiple=64)


def bars(width: int = SIDE) -> Tensor:
    """Dark and bright bars."""
    bar = 0.25 + 0.5 * (torch.arange(width) // BAR % 2).float()
    return bar.expand(1, 3, SIDE, width).clone()


def moved(image: Tensor, length: int) -> Tensor:
    """Means over so many pixels of each row."""
    padded = functional.pad(image, (length // 2, (length - 1) // 2, 0, 0), "replicate")
    return functional.avg_pool2d(padded, (1, length), 1)


class SmallBlur:
    """A network that gives contrast back where edges are 3 to 10 of its pixels wide, and else does nothing."""

    def __init__(self) -> None:
        self.shapes: list[torch.Size] = []

    def __call__(self, image, on_step) -> Tensor:
        self.shapes.append(image.shape)
        on_step(Step(0.5, "half"))
        on_step(Step(1.0, "all"))
        width = (image.amax() - image.amin()) / image.diff(dim=3).abs().amax()
        return 1.5 * image - 0.5 * image.mean() if 3 < width < 10 else image


@pytest.mark.parametrize(("length", "expected"), [(1, 1), (7, 1), (16, 0.5), (32, 0.25)])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_finest_scale_at_which_the_blur_is_small_enough(length, expected, channels):
    blurry = moved(bars(), length)[:, :channels].double()
    network = SmallBlur()
    assert choose(blurry, network) == expected
    assert {shape[1] for shape in network.shapes} == {channels}


def test_photos_of_a_batch_get_one_scale():
    blurry = moved(bars(), 16)
    network = SmallBlur()
    assert choose(torch.cat([blurry, blurry.flip(2)]), network) == 0.5
    assert {shape[0] for shape in network.shapes} == {2}


@pytest.mark.parametrize("flipped", [False, True])
def test_it_is_tried_where_it_changes_most(flipped):
    """Half of the photo is plain, where nothing would be measured."""
    blurry = torch.cat([torch.full((1, 3, SIDE, SIDE), 0.25), moved(bars(), 32)], dim=3)
    assert choose(blurry.flip(3) if flipped else blurry, SmallBlur(), largest=2 * SIDE**2) == 0.25


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (255, 300)])
def test_small_photos_keep_their_size(size):
    network = SmallBlur()
    assert choose(torch.rand(1, 3, *size), network) == 1
    assert not network.shapes


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_plain_photos_keep_their_size(value):
    assert choose(torch.full((1, 3, 300, 300), value), lambda image, on_step: image) == 1


def test_large_photos_are_shrunk_first():
    """Blur of 32 pixels has 16 at half the sides, which is restored at half of these."""
    network = SmallBlur()
    assert choose_scale(moved(bars(2 * SIDE), 32), network, largest=SIDE**2 // 2, multiple=64) == 0.25
    assert choose_scale(bars(), network, largest=SIDE**2 // 4) == 0.5
    assert choose_scale(bars(), network, largest=1000) < 0.1


def test_the_work_is_bounded():
    network = SmallBlur()
    choose_scale(torch.rand(1, 1, 2560, 2048), network, largest=10**8, multiple=64)
    assert len(network.shapes) == 3
    assert all(shape[2] * shape[3] <= 384 * 384 for shape in network.shapes)


def test_progress_rises_and_work_is_stopped():
    fractions: list[float] = []
    choose(moved(bars(), 16), SmallBlur(), on_step=lambda step: fractions.append(step.fraction))
    assert fractions == sorted(fractions)
    assert fractions[0] > 0
    assert fractions[-1] < 0.5

    def stop(step: Step) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        choose(moved(bars(), 16), SmallBlur(), on_step=stop)


class Planted(nn.Module):
    """`SmallBlur` with a layer, so that there are weights and progress."""

    multiple = 64

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 1, bias=False)
        self.layer.weight.data = torch.eye(3)[..., None, None]

    def forward(self, image: Tensor) -> Tensor:
        return SmallBlur()(self.layer(image), ignore_step)


def test_maxim_restores_at_its_scale(monkeypatch):
    monkeypatch.setattr("unblur.methods.backbone.method.maxim_3s", Planted)
    method = load_method("maxim", {"precision": "float32"}, Checkpoint("planted", Planted().state_dict()))
    steps: list[Step] = []
    blurry = moved(bars(), 16)
    answer = restore_tensor(blurry, method, RestoreOptions(), steps.append)
    assert answer.facts["restored_at"] == (SIDE // 2, SIDE // 2)
    assert answer.image.std() > 1.05 * blurry.std()
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert {step.stage for step in steps if step.fraction < 0.2} == {"choosing the size"}
    assert fractions[-1] == 1


def test_tiles_of_maxim_are_larger_where_numbers_are_shorter(monkeypatch):
    """Largest parts of both take about the same memory: with the margins, and begun and ended at multiples."""
    monkeypatch.setattr("unblur.methods.backbone.method.maxim_3s", Planted)
    sizes: dict[str, float] = {}
    for precision, numbers in (("float32", 4), ("bfloat16", 2)):
        method = load_method("maxim", {"precision": precision}, Checkpoint("planted", Planted().state_dict()))
        assert method.traits.tile_halo is not None
        sizes[precision] = numbers * (method.traits.tile_side + 3 * method.traits.tile_halo) ** 2
    assert sizes["float32"] == pytest.approx(sizes["bfloat16"], rel=0.1)


def test_an_unchanged_small_photo_leaves_the_photo_as_it_is():
    photo = torch.rand(2, 3, 50, 70)
    step = Shrink(photo, (25, 35))
    assert step.forward(photo).shape == (2, 3, 25, 35)
    assert torch.equal(step.backward(step.forward(photo)), photo)


def test_a_change_is_added_at_full_size_beside_the_detail():
    """A brighter small photo is a brighter photo with the same detail."""
    photo = torch.rand(1, 3, 50, 70)
    step = Shrink(photo, (25, 35))
    assert torch.allclose(step.backward(step.forward(photo) + 0.1), photo + 0.1, atol=1e-6)


def test_fields_are_in_pixels_of_the_photo():
    step = Shrink(torch.rand(1, 3, 48, 80), (24, 20))
    field = step.backward_field(torch.ones(1, 2, 24, 20))
    assert field.shape == (1, 2, 48, 80)
    assert torch.allclose(field.mean((2, 3)), torch.tensor([[4.0, 2.0]]), atol=1e-5)


class Halved:
    """Sees a photo at half size and makes it darker."""

    settings = None
    traits = Traits(channels="rgb", size_multiple=8, scale_for=lambda blurry, on_step: 0.5)

    def __init__(self) -> None:
        self.sizes: list[torch.Size] = []

    def restore(self, blurry, options, on_step) -> Restoration[Tensor]:
        self.sizes.append(blurry.shape)
        return Restoration(image=blurry - 0.125)


def test_whoever_learns_through_it_gets_a_gradient():
    blurry = torch.rand(1, 3, 128, 128, requires_grad=True)
    assert not torch.tensor(choose_scale(blurry, SmallBlur(), largest=1000)).requires_grad
    step = Shrink(blurry, (64, 64))
    (2 * step.backward(step.forward(blurry))).sum().backward()
    assert torch.allclose(blurry.grad, torch.full_like(blurry, 2), atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_method_works_at_its_scale(channels):
    method = Halved()
    blurry = 0.3 + 0.4 * torch.rand(1, channels, 40, 61)
    answer = restore_tensor(blurry, method, RestoreOptions())
    assert method.sizes == [(1, 3, 24, 32)]
    assert answer.facts["restored_at"] == (20, 30)
    assert torch.allclose(answer.image, blurry - 0.125, atol=1e-5)


@pytest.mark.parametrize("wrong", [{"scale": -0.1}, {"scale": 1.5}, {"pixels": 0}])
def test_wrong_settings(wrong):
    with pytest.raises(SettingsError):
        MaximSettings(**wrong)
