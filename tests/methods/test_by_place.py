import torch

from planted import draw_picture
from unblur.blur.poses import PoseBlur
from unblur.methods.by_place import make_by_place

STILL = PoseBlur(torch.full((1, 1, 3, 3), 1 / 9), torch.zeros(1))
TURNING = PoseBlur(torch.full((3, 1, 3, 3), 1 / 27), torch.tensor([-0.05, 0.0, 0.05]))


def test_the_photo_comes_back_where_nothing_is_changed():
    photo = draw_picture(210, 330).expand(-1, 3, -1, -1)
    made = make_by_place(photo, TURNING, lambda part, kernel, known, step: part, None, lambda share: None)
    torch.testing.assert_close(made, photo)


def test_places_far_from_the_middle_have_kernels_that_are_spread_farther():
    sides: list[int] = []

    def make(part, kernel, known, step):
        sides.append(kernel.shape[-1])
        return part

    make_by_place(torch.zeros(1, 1, 200, 500), TURNING, make, None, lambda share: None)
    assert min(sides) < max(sides) - 8
    sides.clear()
    make_by_place(torch.zeros(1, 1, 200, 500), STILL, make, None, lambda share: None)
    assert set(sides) == {3}


def test_each_tile_is_given_what_is_known_of_it_and_progress_ends_at_one():
    known = torch.ones(1, 1, 200, 500)
    known[..., 300:] = 0
    seen: list[float] = []

    def make(part, kernel, counts, step):
        step(0.5)
        return counts.expand(-1, part.shape[1], -1, -1)

    photo = torch.zeros(1, 3, 200, 500)
    made = make_by_place(photo, TURNING, make, known, seen.append)
    torch.testing.assert_close(made, known.expand(-1, 3, -1, -1))
    assert seen == sorted(seen)
    assert seen[-1] == 1
