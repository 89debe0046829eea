import sys

import onnx
import pytest
import torch
from torch import nn

from unblur.errors import MissingExtraError, UnblurError, WriteError
from unblur.weights.onnx_file import OnnxNetwork, Portable, make_onnx, write_onnx

FACTS = {"weights": "made up", "unblur": "0"}


class Mirror(nn.Module):
    """Uses height and width in each way that could be fixed at the exported size by mistake."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolve = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, image):
        half = image.shape[2] // 2
        joined = torch.cat((image[:, :, half:], image[:, :, :half]), 2)
        return self.convolve(joined) + image.mean((2, 3), keepdim=True) / image.shape[2] + image.flip(3)


@pytest.fixture(scope="module")
def portable() -> Portable:
    return Portable(Mirror().requires_grad_(False), multiples=(4, 2), smallest=10)


def test_file_is_the_network_at_every_size(portable, tmp_path):
    path = tmp_path / "mirror.onnx"
    assert write_onnx(portable, path, FACTS) < 1e-5
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert {item.key: item.value for item in model.metadata_props}.items() >= FACTS.items()
    exported = OnnxNetwork(path.read_bytes())
    for size in ((12, 10), (40, 22), (16, 128)):
        photo = torch.rand(1, 3, *size)
        assert torch.allclose(exported(photo), portable.network(photo), atol=1e-5)
    assert exported(photo.double()).dtype == torch.float64
    with pytest.raises(WriteError):
        write_onnx(portable, path, FACTS)


def test_file_that_differs_is_not_written(portable, tmp_path, monkeypatch):
    class Wrong(OnnxNetwork):
        def run(self, blurry):
            return [values + 2e-3 for values in super().run(blurry)]

    monkeypatch.setattr("unblur.weights.onnx_file.OnnxNetwork", Wrong)
    with pytest.raises(UnblurError, match=r"differs from PyTorch by 0\.002 and was not written"):
        write_onnx(portable, tmp_path / "wrong.onnx", FACTS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_missing_package_is_named(portable, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"needs {package}, which is not installed.*unblur\[onnx\]"):
        make_onnx(portable, FACTS)
