"""What every method of the catalogue promises, whatever it does inside."""

from dataclasses import fields

import numpy as np
import pytest
import torch

from planted import plant
from unblur.blur.kernels import linear_kernel
from unblur.methods.apply import restore, restore_tensor
from unblur.methods.base import Step, StepHook, ignore_step
from unblur.methods.catalog import CATALOG, find_entry, settings_class_of
from unblur.methods.loading import load_method
from unblur.methods.onnx_engine import PortableMethod
from unblur.methods.options import RestoreOptions, describe_options
from unblur.methods.settings import describe_settings
from untrained import load_any

pytestmark = pytest.mark.usefixtures("quick_search")

KERNEL = np.outer([1, 2, 1], [1, 2, 1])


@pytest.fixture(scope="module", params=CATALOG)
def method(request):
    return load_any(request.param)


def options_for(height: int, width: int) -> RestoreOptions:
    """The kernel as far as it fits; every method must be able to take or leave it."""
    return RestoreOptions(kernel=KERNEL[: largest_odd(height), : largest_odd(width)])


def check_preview_of(blurry: torch.Tensor) -> StepHook:
    """A hook that checks what a step shows: an image of the photo's proportions, of its size or smaller."""

    def check(step: Step) -> None:
        if step.preview is None:
            return
        height, width = step.preview.shape[-2:]
        assert step.preview.shape[:2] == blurry.shape[:2]
        assert step.preview.isfinite().all()
        assert height <= blurry.shape[-2]
        assert abs(width - height * blurry.shape[-1] / blurry.shape[-2]) <= 1 + blurry.shape[-1] / blurry.shape[-2]

    return check


def largest_odd(side: int) -> int:
    return (min(side, 3) + 1) // 2 * 2 - 1


def restored(method, blurry: torch.Tensor, options: RestoreOptions | None = None) -> torch.Tensor:
    before = blurry.clone()
    image = restore_tensor(blurry, method, options or options_for(*blurry.shape[-2:]), check_preview_of(blurry)).image
    assert torch.equal(blurry, before), "the photo was changed in place"
    assert image.shape == blurry.shape
    assert image.dtype == blurry.dtype
    assert image.isfinite().all()
    assert image.min() >= 0
    assert image.max() <= 1
    return image


SIZES = [(3, (1, 1)), (1, (1, 9)), (3, (2, 3)), (1, (8, 8)), (1, (33, 47)), (3, (33, 47))]
"""Channels and sizes: each of both once, and the largest with both numbers of channels."""
OTHER_SIZES = [(1, (1, 1)), (3, (1, 9)), (1, (2, 3)), (3, (8, 8))]


@pytest.mark.parametrize(
    ("channels", "size"), [*SIZES, *(pytest.param(*other, marks=pytest.mark.slow) for other in OTHER_SIZES)]
)
def test_any_size(method, size, channels):
    restored(method, torch.rand(1, channels, *size, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("name", [name for name in CATALOG if name != "known-kernel"])
@pytest.mark.parametrize("size", [(1, 1), pytest.param((1, 9), marks=pytest.mark.slow), (8, 8), (33, 47)])
def test_any_size_of_unknown_blur(name, size):
    restored(load_any(name), torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(3)), RestoreOptions())


def test_a_batch(method):
    blurry = torch.rand(2, 3, 24, 31, generator=torch.Generator().manual_seed(1))
    together = restored(method, blurry)
    assert torch.allclose(together[1:], restored(method, blurry[1:]), atol=1e-4)
    assert not torch.allclose(together[0], together[1], atol=1e-2)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_constant_stays_constant(method, level):
    blurry = torch.full((1, 3, 20, 23), level)
    assert (restored(method, blurry) - blurry).abs().max() <= 1 / 255


@pytest.mark.parametrize("name", CATALOG)
def test_constant_photo_of_unknown_blur(name):
    blurry = np.full((24, 31, 3), 77, np.uint8)
    answer = restore(blurry, load_any(name), kernel=KERNEL if name == "known-kernel" else None)
    assert np.abs(answer.image - 77.0).max() <= 1


def test_same_seed_same_pixels(method):
    blurry = torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(2))
    assert torch.equal(restored(method, blurry), restored(method, blurry))


def test_progress_ends_at_one(method):
    seen = []
    options = RestoreOptions(kernel=KERNEL)
    restore_tensor(torch.rand(1, 1, 32, 32), method, options, lambda step: seen.append(step.fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1


@pytest.mark.parametrize("name", CATALOG)
def test_every_setting_has_a_sentence(name):
    for item in describe_settings(settings_class_of(name)):
        assert item.help.endswith("."), item.name


@pytest.mark.slow
@pytest.mark.parametrize("name", CATALOG)
def test_every_small_size(name):
    method = load_any(name)
    for height in range(1, 71, 3):
        for width in range(1, 71, 3):
            restored(method, torch.rand(1, 1, height, width))


FIELDS = {item.name for item in fields(RestoreOptions)}
FOR_ALL = {name for name, option in describe_options().items() if option.for_all}
PASSED_ON = FIELDS - {"region", "mask", "strength", "solver", "refine"}
"""Options that a teacher gets."""
SEEN: set[str] = set()


class Watched(RestoreOptions):
    """Options that record which of them were read."""

    def __getattribute__(self, name: str):
        if name in FIELDS:
            SEEN.add(name)
        return super().__getattribute__(name)

    def for_teacher(self):
        before = set(SEEN)
        passed = RestoreOptions(**{name: getattr(self, name) for name in PASSED_ON})
        SEEN.clear()
        SEEN.update(before | {"passed on"})
        return passed


def read_by(method, side: int, **given) -> set[str]:
    """The options that a method itself reads while it restores a small blurred photo."""
    planted = plant(linear_kernel(7, 30), (side, side))
    options = Watched(**given)
    channels = 3 if method.traits.channels == "rgb" else 1
    SEEN.clear()
    with torch.no_grad():
        method.restore(planted.blurry.expand(-1, channels, -1, -1), options, ignore_step)
    return set(SEEN)


@pytest.mark.parametrize("name", CATALOG)
def test_a_method_reads_the_options_that_it_declares_and_no_others(name):
    entry = find_entry(name)
    fitted = name in ("selfdeblur", "kernel-space")
    method = load_method(name, {"preset": "smoke", "steps": 2}) if fitted else load_any(name)
    side = 100 if fitted else 64 if entry.role == "kernel estimator" else max(32, method.traits.size_multiple)
    assert method.traits.uses == entry.uses
    if not entry.needs_torch:
        assert not entry.uses
        return
    read = read_by(method, side, kernel=KERNEL)
    if entry.role != "solver":
        read |= read_by(method, side)
    through_a_teacher = PASSED_ON if "passed on" in read else set()
    # The pipeline heeds them, for tiles and for networks to export; but where the network is a part of the work.
    declared = entry.uses - ({"tile"} if method.traits.own_engine else {"tile", "engine"})
    assert read - FOR_ALL - {"passed on"} <= declared
    assert declared - read <= through_a_teacher
    assert ("tile" in entry.uses) == (method.traits.tile_halo is not None)
    assert ("engine" in entry.uses) == isinstance(method, PortableMethod)
