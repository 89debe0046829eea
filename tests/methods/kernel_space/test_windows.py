from itertools import pairwise

import pytest
import torch

from unblur.methods.kernel_space.windows import Window, blend, cut


@pytest.mark.parametrize(("size", "count"), [((256, 256), 1), ((100, 300), 2), ((448, 640), 6), ((1, 1), 1)])
def test_few_windows_cover_a_photo(size, count):
    windows = cut(*size, 256, 64)
    assert len(windows) == count
    seen = torch.zeros(size)
    for window in windows:
        assert (window.height, window.width) == (min(256, size[0]), min(256, size[1]))
        window.of(seen).add_(1)
    assert seen.min() >= 1


def test_neighbours_share_what_they_must():
    lefts = [window.left for window in cut(10, 1000, 256, 64)]
    assert lefts[0] == 0
    assert lefts[-1] == 1000 - 256
    assert all(second <= first + 192 for first, second in pairwise(lefts))


def test_blending_what_agrees_changes_nothing():
    photo = torch.rand(1, 3, 150, 210)
    windows = cut(150, 210, 64, 16)
    torch.testing.assert_close(blend(photo, windows, lambda window: window.of(photo), 16), photo)


def test_blending_leads_smoothly_from_one_to_the_next():
    photo = torch.zeros(1, 1, 8, 112)
    first, second = cut(8, 112, 64, 16)
    assert (first, second) == (Window(0, 0, 8, 64), Window(0, 48, 8, 64))
    row = blend(photo, [first, second], lambda window: torch.full((1, 1, 8, 64), float(window.left > 0)), 16)[0, 0, 0]
    assert not row[:48].any()
    assert (row[64:] == 1).all()
    assert (row[48:64].diff() > 0).all()
