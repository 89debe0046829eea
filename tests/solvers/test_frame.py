import pytest
import torch

from unblur.solvers.frame import Frame

CASES = [((1, 1), (1, 1)), ((1, 9), (3, 3)), ((16, 20), (1, 1)), ((17, 23), (9, 5)), ((8, 8), (31, 31))]


@pytest.fixture(params=CASES)
def frame(request) -> Frame:
    return Frame.around(*request.param)


def photo_in(frame: Frame, seed: int = 0) -> torch.Tensor:
    return torch.rand(2, 1, *frame.photo, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("photo", "kernel"), CASES)
def test_there_is_room_for_the_kernel_and_no_waste(photo, kernel):
    frame = Frame.around(photo, kernel)
    for side, own, reach in zip(frame.size, photo, kernel, strict=True):
        assert own + reach - 1 <= side <= 1.2 * (own + reach) + 2


def test_what_is_extended_or_placed_is_cropped_again(frame):
    photo = photo_in(frame)
    for framed in (frame.extend(photo), frame.place(photo)):
        assert framed.shape[-2:] == frame.size
        assert torch.equal(frame.crop(framed), photo)


def test_outside_what_is_placed_there_is_nothing(frame):
    photo = photo_in(frame) + 1
    torch.testing.assert_close(frame.place(photo).sum(), photo.sum())


def test_the_margin_of_what_is_placed_is_empty():
    frame = Frame.around((7, 9), (3, 3))
    kept = frame.crop(frame.place(torch.ones(1, 1, 7, 9), margin=2))[0, 0]
    assert kept.sum() == 3 * 5
    assert kept[2:5, 2:7].sum() == 3 * 5
    assert frame.place(torch.ones(1, 1, 7, 9), margin=5).sum() == 0


def test_an_extended_ramp_has_no_jump_anywhere():
    """Circularly, too: the step from the last column to the first is spread over the whole bridge."""
    frame = Frame.around((20, 30), (11, 15))
    ramp = torch.linspace(0, 1, 30).expand(1, 1, 20, 30)
    extended = frame.extend(ramp)
    jumps = (extended - extended.roll(1, -1)).abs()
    assert jumps.max() < 2.0 / (frame.size[1] - 30)
    assert extended.min() >= 0
    assert extended.max() <= 1


def test_a_constant_stays_constant(frame):
    torch.testing.assert_close(
        frame.extend(torch.full((1, 1, *frame.photo), 0.3)), torch.full((1, 1, *frame.size), 0.3)
    )
