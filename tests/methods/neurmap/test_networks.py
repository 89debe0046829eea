import pytest
import torch

from filled import assert_numbers, fill, wave_image
from unblur.methods.neurmap.discriminator import Discriminator
from unblur.methods.neurmap.motion import MotionNet, canonical, from_motion_field, mean_over_views, to_motion_field


def count(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def test_motion_network():
    network = MotionNet()
    assert count(network) == 1_128_002
    state = network.state_dict()
    assert len(state) == 74
    shapes = {
        "conv_1.1.weight": (16, 12, 5, 5),
        "conv_2.3.2.conv_block.4.weight": (32, 32, 5, 5),
        "conv_3.1.weight": (64, 32, 5, 5),
        "bottleneck_1.model.0.weight": (128, 64, 1, 1),
        "bottleneck_2.conv2.weight": (64, 128, 3, 3),
        "bottleneck_3.conv1.weight": (64, 32, 1, 1),
        "uconv_1.weight": (64, 32, 4, 4),
        "uconv_2.weight": (64, 16, 4, 4),
        "uconv_3.weight": (32, 32, 4, 4),
        "conv_out_0.weight": (2, 32, 5, 5),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes


def test_answer_of_the_motion_network():
    assert_numbers(fill(MotionNet())(wave_image()), (0.06477894, 0.01133842, 0.07583961, 0.05337425))


def test_smallest_photo():
    assert MotionNet()(torch.rand(1, 3, 16, 24)).shape == (1, 2, 16, 24)


def test_discriminator():
    network = fill(Discriminator())
    assert count(network) == 5_529_474
    assert set(network.state_dict()) == {
        f"scale{scale}_layer{layer}.0.{kind}" for scale in (0, 1) for layer in range(5) for kind in ("weight", "bias")
    }
    full, half = network(wave_image())
    assert full.shape == (1, 1, 11, 11)
    assert half.shape == (1, 1, 7, 7)
    assert float(full.mean()) == pytest.approx(0.25276728, abs=1e-6)
    assert float(full.std(correction=0)) == pytest.approx(0.02566444, abs=1e-6)
    assert float(half.mean()) == pytest.approx(0.25175127, abs=1e-6)
    assert float(half.std(correction=0)) == pytest.approx(0.02496375, abs=1e-6)


def test_discriminator_sees_patches_of_large_crops():
    full, half = Discriminator()(torch.rand(1, 3, 256, 256))
    assert (full.shape[-1], half.shape[-1]) == (35, 19)


def test_canonical_maps():
    motion = torch.randn(2, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    turned = canonical(motion)
    assert (turned[:, 1] >= 0).all()
    assert torch.equal(canonical(turned), turned)
    assert torch.equal(canonical(-motion), turned)
    assert torch.equal(turned.abs(), motion.abs())


def test_maps_as_motion_fields():
    motion = torch.tensor([0.25, 1.0]).view(1, 2, 1, 1)
    assert to_motion_field(motion).flatten().tolist() == [40.0, 10.0]


def test_maps_and_fields_are_each_others_reverse():
    field = torch.randn(2, 2, 5, 6)
    torch.testing.assert_close(to_motion_field(from_motion_field(field)), field)


def test_looks_that_agree_are_one():
    """A gradient turns with the image, and is long where the image is large; on a plane it is the same everywhere."""

    def see(image):
        grey = image.mean(1)
        slopes = [(grey.diff(dim=side).mean((1, 2)) * grey.shape[side] ** 2) for side in (1, 2)]
        return torch.stack(slopes, 1)[:, :, None, None].expand(-1, -1, *grey.shape[1:])

    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(64.0), indexing="ij")
    for down, right in ((0.3, 0.1), (-0.2, 0.1), (0.2, -0.3), (0.0, 0.1)):
        image = (down * rows + right * columns).double().expand(1, 3, -1, -1)
        found, once = mean_over_views(see, image), canonical(see(image))
        torch.testing.assert_close(found, once, rtol=0.06, atol=0.5)


def test_looks_that_disagree_are_short():
    def see(image):
        return torch.tensor([0.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, *image.shape[-2:])

    assert mean_over_views(see, torch.rand(1, 3, 16, 16)).norm(dim=1).max() < 0.8
