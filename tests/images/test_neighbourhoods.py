"""The largest values around pixels."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it

from unblur.images.neighbourhoods import largest_along, largest_around


@pytest.mark.parametrize("window", [1, 3, 5, 7, 9, 13])
def test_it_is_what_max_pooling_finds(window: int) -> None:
    image = torch.randn(2, 3, 17, 23, generator=torch.Generator().manual_seed(window))
    assert torch.equal(largest_around(image, window), F.max_pool2d(image, window, 1, window // 2))


@pytest.mark.parametrize("window", [1, 2, 6, 8, 17])
def test_stretches_along_one_dimension(window: int) -> None:
    image = torch.randn(1, 1, 17, 23, generator=torch.Generator().manual_seed(window))
    assert torch.equal(largest_along(image, window, -1), F.max_pool2d(image, (1, window), 1))
    assert torch.equal(largest_along(image, window, -2), F.max_pool2d(image, (window, 1), 1))
