import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it

from unblur.backbones.reflection import Reflection


def test_mirrors_without_repeating_the_border():
    row = torch.arange(4.0).expand(1, 1, 4, 4)
    assert Reflection(3)(row)[0, 0, 0].tolist() == [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]


def test_what_is_too_small_to_mirror_is_repeated():
    column = torch.arange(5.0).view(1, 1, 5, 1)
    assert Reflection()(column)[0, 0].tolist() == [[value] * 3 for value in (0, 0, 1, 2, 3, 4, 4)]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", [(2, 2), (2, 5), (3, 2), (7, 4)])
def test_a_margin_of_one_is_torchs_and_so_is_its_gradient(layout, size):
    features = torch.rand(2, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    features = features.to(memory_format=layout).requires_grad_()
    found, expected = Reflection()(features), F.pad(features, (1, 1, 1, 1), mode="reflect")
    assert torch.equal(found, expected)
    assert found.is_contiguous(memory_format=layout)
    weight = torch.rand(found.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    slopes = [torch.autograd.grad((weight * image).sum(), features)[0] for image in (found, expected)]
    torch.testing.assert_close(*slopes)
    assert torch.autograd.gradgradcheck(Reflection(), features)
