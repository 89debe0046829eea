import math

import torch

from planted import psnr
from turned import middle_kernel, turned_picture
from unblur.images.tensors import srgb_to_linear
from unblur.methods.by_place import make_by_place
from unblur.methods.kernel_search.turning import search_turn
from unblur.metrics.shift import align_by_shift
from unblur.solvers.photo import restore_with_kernel
from unblur.solvers.priors import PRIORS

SIZE = (300, 400)
CORNER = math.hypot(*SIZE) / 2


def search(photo, start):
    shares: list[float] = []
    found = search_turn(srgb_to_linear(photo), start, PRIORS["l0"], shares.append)
    assert shares == sorted(shares)
    return found


def make(part, kernel, known, on_progress):
    return restore_with_kernel(part, kernel, encoding="linear", jpeg_coarseness=0)


def quality(image, sharp):
    pair = align_by_shift(image.clamp(0, 1), sharp)
    return psnr(pair.restored, pair.sharp)


def test_a_turn_is_found_and_its_answer_beats_one_kernel_for_all():
    photo, sharp = turned_picture(SIZE, turn=12 / CORNER)
    found = search(photo, middle_kernel())
    assert found is not None
    assert 4 < found.turn * CORNER < 16
    turned = make_by_place(photo, found, make, None, lambda share: None)
    same = make(photo, middle_kernel(), None, None)
    assert quality(turned, sharp) > quality(same, sharp) + 2


def test_a_camera_that_did_not_turn_is_left_to_the_search_for_one_kernel():
    photo, _ = turned_picture(SIZE, turn=0.0, seed=1)
    assert search(photo, middle_kernel()) is None


def test_the_search_does_not_change_what_it_is_given():
    photo, _ = turned_picture((200, 220), turn=12 / CORNER)
    start = middle_kernel()
    before = photo.clone(), start.clone()
    search(photo, start)
    assert torch.equal(photo, before[0])
    assert torch.equal(start, before[1])
