import pytest
import torch

from unblur.errors import ShapeError
from unblur.methods.kernel_space.model import KernelSpace, PublishedSpace
from unblur.methods.kernel_space.operations import (
    apply_code,
    extract_code,
    sample_blur,
    sample_code,
    transfer_blur,
)


@pytest.fixture(scope="module")
def network() -> KernelSpace:
    torch.manual_seed(0)
    network = PublishedSpace(width=8, code=6, front=1, back=1, blocks=1, variational=True).eval()
    for weight in network.kernel_extractor.parameters():
        torch.nn.init.normal_(weight, 0.05, (2 / weight[0].numel()) ** 0.5)
    return network


def photos(count: int, size: tuple[int, int] = (40, 130)) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    return [torch.rand(2, 3, *size, generator=generator) for _ in range(count)]


def test_transfer_is_extracting_and_applying(network):
    sharp, blurry, target = photos(3)
    code = extract_code(network, sharp, blurry)
    assert code.any()
    assert torch.equal(code, network.extract(sharp, blurry).mean)
    carried = transfer_blur(network, sharp, blurry, target)
    assert torch.equal(carried, apply_code(network, target, code))
    assert torch.equal(carried, network.blur(target, code).clamp(0, 1))
    assert not carried.requires_grad


@pytest.mark.usefixtures("wrong_shapes")
def test_transfer_needs_photos_of_one_size(network):
    sharp, blurry = photos(2)
    (target,) = photos(1, (40, 20))
    with pytest.raises(ShapeError, match="not from 130x40 to 20x40"):
        transfer_blur(network, sharp, blurry, target)


def test_answers_stay_in_range(network):
    (sharp,) = photos(1)
    answer = apply_code(network, (sharp > 0.5).float(), 50 * torch.ones(2, *network.code_shape(40, 130)))
    assert answer.min() == 0
    assert answer.max() == 1


def test_invented_codes(network):
    codes = sample_code(network, 256, 129, torch.Generator().manual_seed(5), count=200)
    assert codes.shape == (200, 6, 2, 2)
    assert codes.mean().item() == pytest.approx(0, abs=0.1)
    assert codes.std().item() == pytest.approx(1.2, rel=0.05)
    again = sample_code(network, 256, 129, torch.Generator().manual_seed(5), count=200, spread=2.4)
    assert torch.equal(again, 2 * codes)


def test_every_photo_gets_a_blur_of_its_own(network):
    (sharp,) = photos(1)
    same = sharp[:1].expand(2, -1, -1, -1)
    first = sample_blur(network, same, torch.Generator().manual_seed(6))
    assert torch.equal(first, sample_blur(network, same, torch.Generator().manual_seed(6)))
    assert not torch.equal(first[0], first[1])
