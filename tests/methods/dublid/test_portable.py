import pytest
import torch

from unblur.errors import UsageError
from unblur.images.tensors import BT709, brightness
from unblur.methods.dublid.model import Dublid
from unblur.methods.dublid.portable import PortableDublid, make_portable
from unblur.weights.onnx_file import OnnxNetwork, make_onnx


def network_of(seed: int = 0, **settings) -> Dublid:
    torch.manual_seed(seed)
    return Dublid(channels=3, layers=2, kernel_size=9, **settings).requires_grad_(False)


@pytest.mark.parametrize("settings", [{"variant": "code"}, {"variant": "paper"}, {"frame": "tight"}])
def test_real_arithmetic_gives_what_the_network_gives(settings):
    network = network_of(**settings)
    photo = torch.rand(1, 3, 50, 121)
    (image,), (kernel,) = PortableDublid([network])(photo)
    expected = network(brightness(photo, BT709), centred=True)
    assert torch.allclose(brightness(image[None], BT709), expected.image, atol=1e-4)
    assert torch.allclose(kernel, expected.kernel[0], atol=1e-5)
    changed = image - photo[0]
    assert torch.allclose(changed[0], changed[2], atol=1e-5), "colour differences stay"


def test_file_gives_image_and_kernel_of_each_network_at_any_size():
    portable = make_portable({"one": network_of(), "two": network_of(1)}, smallest=16)
    exported = OnnxNetwork(make_onnx(portable, {}))
    for size in ((16, 16), (47, 200), (130, 20)):  # frames of 64, 128 and 256 pixels a side
        photo = torch.rand(1, 3, *size)
        images, kernels = exported.run(photo)
        assert images.shape == (2, 3, *size)
        assert kernels.shape == (2, 1, 9, 9)
        for given, wanted in zip((images, kernels), portable.network(photo), strict=True):
            assert torch.allclose(given, wanted, atol=1e-4)


def test_colour_networks_are_refused():
    with pytest.raises(UsageError, match="only networks for grey photos can be exported"):
        make_portable({"": network_of(in_channels=3)}, smallest=16)
