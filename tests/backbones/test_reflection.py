import torch

from unblur.backbones.reflection import Reflection


def test_mirrors_without_repeating_the_border():
    row = torch.arange(4.0).expand(1, 1, 4, 4)
    assert Reflection(3)(row)[0, 0, 0].tolist() == [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]


def test_what_is_too_small_to_mirror_is_repeated():
    column = torch.arange(5.0).view(1, 1, 5, 1)
    assert Reflection()(column)[0, 0].tolist() == [[value] * 3 for value in (0, 0, 1, 2, 3, 4, 4)]
