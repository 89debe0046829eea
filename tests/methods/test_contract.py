"""What every method of the catalogue promises, whatever it does inside."""

import numpy as np
import pytest
import torch

from unblur.methods.apply import make_task, restore, restore_tensor
from unblur.methods.base import Task
from unblur.methods.catalog import CATALOG, settings_class_of
from unblur.methods.settings import describe_settings
from untrained import load_any

KERNEL = np.outer([1, 2, 1], [1, 2, 1])


@pytest.fixture(scope="module", params=CATALOG)
def method(request):
    return load_any(request.param)


def task_for(height: int, width: int) -> Task:
    """The kernel as far as it fits; every method must be able to take or leave it."""
    return make_task(kernel=KERNEL[: largest_odd(height), : largest_odd(width)])


def largest_odd(side: int) -> int:
    return (min(side, 3) + 1) // 2 * 2 - 1


def restored(method, blurry: torch.Tensor, task: Task | None = None) -> torch.Tensor:
    before = blurry.clone()
    image = restore_tensor(blurry, method, task or task_for(*blurry.shape[-2:])).image
    assert torch.equal(blurry, before), "the photo was changed in place"
    assert image.shape == blurry.shape
    assert image.dtype == blurry.dtype
    assert image.isfinite().all()
    assert image.min() >= 0
    assert image.max() <= 1
    return image


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (8, 8), (33, 47)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size(method, size, channels):
    restored(method, torch.rand(1, channels, *size, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("name", [name for name in CATALOG if name != "known-kernel"])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (8, 8), (33, 47)])
def test_any_size_of_unknown_blur(name, size):
    restored(load_any(name), torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(3)), Task())


def test_a_batch(method):
    blurry = torch.rand(2, 3, 24, 31, generator=torch.Generator().manual_seed(1))
    together = restored(method, blurry)
    for index in range(2):
        assert torch.allclose(together[index], restored(method, blurry[index : index + 1])[0], atol=1e-4)


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
    task = make_task(kernel=KERNEL, on_step=lambda step: seen.append(step.fraction))
    restore_tensor(torch.rand(1, 1, 32, 32), method, task)
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
