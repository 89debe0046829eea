import pytest
import torch

from planted import shake
from unblur.errors import SettingsError
from unblur.images.tensors import turned, turned_back
from unblur.methods.dublid.orientations import POSITIONS, look_turned
from unblur.methods.dublid.settings import DublidSettings

KERNEL = shake(11, 4)


def test_there_are_eight_positions_and_each_is_undone():
    image = torch.rand(1, 2, 5, 7)
    seen = {turned(image, *position).flatten().numpy().tobytes() for position in POSITIONS}
    assert len(seen) == 8
    for position in POSITIONS:
        assert torch.equal(turned_back(turned(image, *position), *position), image)


@pytest.mark.parametrize("count", [1, 2, 8])
def test_kernels_that_turn_with_the_photo_have_themselves_for_their_mean(count):
    photo = torch.nn.functional.pad(KERNEL, (10, 10, 5, 5))
    seen: list[tuple[int, ...]] = []

    def find(image):
        seen.append(tuple(image.shape[-2:]))
        rows, columns = ((side - 11) // 2 for side in image.shape[-2:])
        # As a network does, with an offset of its own.
        return torch.roll(image[..., rows : rows + 11, columns : columns + 11], len(seen) % 2, -1)

    mean = look_turned(photo, find, count)
    assert len(seen) == count
    torch.testing.assert_close(mean, torch.roll(KERNEL, 1, -1))


def test_errors_of_single_looks_become_smaller():
    generator = torch.Generator().manual_seed(3)
    photo = torch.nn.functional.pad(KERNEL, (10, 10, 10, 10))

    def find(image):
        return image[..., 10:21, 10:21] + 0.003 * torch.randn(1, 1, 11, 11, generator=generator)

    one, all_of_them = (float((look_turned(photo, find, count) - KERNEL).norm()) for count in (1, 8))
    assert all_of_them < 0.6 * one


def test_a_number_of_positions_that_there_is_not_is_refused():
    with pytest.raises(SettingsError, match="1 to 8"):
        DublidSettings(orientations=9)
