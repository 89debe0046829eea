import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from unblur.errors import MissingExtraError
from unblur.methods.apply import restore_tensor
from unblur.methods.base import Restoration, Traits, ignore_step
from unblur.methods.loading import load_method
from unblur.methods.onnx_engine import PortableMethod, portable_names
from unblur.methods.options import RestoreOptions
from unblur.weights.onnx_file import Portable
from untrained import load_any

pytestmark = pytest.mark.usefixtures("quick_search")

WITH_ONNX = RestoreOptions(engine="onnx")


class Small:
    """A method that is one convolution; it counts how often PyTorch computes it."""

    settings = None
    traits = Traits(uses=frozenset({"engine"}), channels="rgb", size_multiple=2)

    def __init__(self, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.network = nn.Conv2d(3, 3, 3, padding=1, bias=False).requires_grad_(False)
        self.checkpoint = SimpleNamespace(name="small", sha256=str(seed))
        self.count = 0

    def portable(self) -> Portable:
        return Portable(self.network, multiples=(2, 2), smallest=16, largest=3000)

    def restore(self, blurry, options, on_step=ignore_step):
        self.count += 1
        return Restoration(image=self.network(blurry))


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("UNBLUR_WEIGHTS_CACHE", str(tmp_path))
    monkeypatch.setattr("unblur.methods.pipeline.is_too_small", lambda blurry: False)
    monkeypatch.setattr("unblur.methods.pipeline.keep_plausible", lambda blurry, restored: (restored, ()))


def photos(height: int, width: int, count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(1))


def test_runtime_and_pytorch_agree(tmp_path):
    """On odd sizes and a batch, and from the same file when the method is loaded again."""
    small, blurry = Small(), photos(31, 40, count=2)
    expected = restore_tensor(blurry, small).image
    answer = restore_tensor(blurry, small, WITH_ONNX)
    assert small.count == 1
    assert torch.allclose(answer.image, expected, atol=1e-5)
    assert answer.facts["engine"] == "onnx"
    (made,) = (tmp_path / "onnx").iterdir()
    before = made.stat().st_mtime_ns
    restore_tensor(blurry, Small(), WITH_ONNX)
    assert made.stat().st_mtime_ns == before
    restore_tensor(blurry, Small(seed=1), WITH_ONNX)
    assert len(list((tmp_path / "onnx").iterdir())) == 2, "other weights have a file of their own"


@pytest.mark.parametrize("size", [(60, 60), (10, 40)])
def test_photos_too_large_or_too_narrow_are_left_to_pytorch(size):
    small = Small()
    answer = restore_tensor(photos(*size), small, WITH_ONNX)
    assert small.count == 1
    assert "engine" not in answer.facts


def test_photo_without_contrast_stays():
    grey = torch.full((1, 3, 20, 20), 0.5)
    assert torch.equal(restore_tensor(grey, Small(), WITH_ONNX).image, grey)


def test_other_methods_say_that_they_have_no_use_for_it():
    answer = restore_tensor(photos(20, 20), load_method("map"), RestoreOptions(engine="onnx", kernel_size=3))
    assert any("does not use engine" in warning for warning in answer.warnings)


def test_missing_runtime_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"the engine onnx needs onnxruntime.*unblur\[onnx\]"):
        restore_tensor(photos(20, 20), Small(seed=2), WITH_ONNX)


@pytest.mark.parametrize("name", portable_names())
def test_methods_that_name_the_engine_have_a_network_to_export(name):
    assert isinstance(load_any(name), PortableMethod)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", portable_names())
def test_real_networks_agree(name):
    method, blurry = load_any(name), photos(120, 136)
    expected = restore_tensor(blurry, method).image
    assert torch.allclose(restore_tensor(blurry, method, WITH_ONNX).image, expected, atol=1e-3)
