from functools import partial

import pytest
import torch
from torch import Tensor

from planted import plant, psnr, shake
from unblur.methods import kernel_method, preview
from unblur.methods.apply import restore_tensor
from unblur.methods.base import BlurSoFar, Step
from unblur.methods.loading import load_method
from unblur.methods.options import Encoding, RestoreOptions


@pytest.fixture(scope="module")
def planted():
    return plant(shake(9, 3), (112, 130))


def test_the_true_kernel_sharpens(planted):
    shown = preview.sharpen_preview(planted.blurry, BlurSoFar(planted.kernel, 1.0, "encoded"))
    assert psnr(shown, planted.sharp) >= psnr(planted.blurry, planted.sharp) + 3


@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_large_photos_are_shown_small(scale, monkeypatch):
    monkeypatch.setattr(preview, "_PIXELS", 5_000)
    kernel = torch.full((1, 1, 9, 9), 1 / 81)
    shown = preview.sharpen_preview(torch.rand(1, 3, 200, 400), BlurSoFar(kernel, scale, "linear"))
    assert shown.shape == (1, 3, 50, 100)


def test_the_search_shows_finer_and_finer_images(planted):
    shown = [step.preview for step in steps_of_map(planted.blurry, "encoded") if step.preview is not None]
    heights = [image.shape[-2] for image in shown]
    assert heights == sorted(heights)
    assert len(set(heights)) >= 3
    assert heights[-1] == planted.sharp.shape[-2]
    assert psnr(shown[-1], planted.sharp) > psnr(planted.blurry, planted.sharp) + 2


def test_each_image_is_in_the_encoding_that_is_searched(planted):
    searched = {step.blur.encoding for step in steps_of_map(planted.blurry, "auto") if step.blur}
    assert searched == {"encoded", "linear"}


def steps_of_map(blurry: Tensor, encoding: Encoding) -> list[Step]:
    steps: list[Step] = []
    options = RestoreOptions(encoding=encoding, kernel_size=11)
    restore_tensor(blurry, load_method("map", {"hypotheses": 2}), options, steps.append)
    return steps


def test_nothing_is_made_that_nobody_asks_for(planted, monkeypatch):
    monkeypatch.setattr(kernel_method, "sharpen_preview", partial(pytest.fail, "made all the same"))
    steps: list[Step] = []
    restore_tensor(planted.blurry, load_method("map", {"hypotheses": 1}), RestoreOptions(kernel_size=5), steps.append)
    assert any(step.show for step in steps)
