import re

import pytest

from planted import shake
from unblur.blur.kernels import disk_kernel, gaussian_kernel, linear_kernel
from unblur.methods.auto.description import describe_kernel


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        (linear_kernel(15, 30), "straight motion of about 1[456] px"),
        (linear_kernel(4, 110), "straight motion of about [345] px"),
        (disk_kernel(5.0), "out of focus, about (9|10|11) px across"),
        (gaussian_kernel(2.0, 2.0, 0.0), "out of focus, about [789] px across"),
        (shake(21, 1, (40, 45)), r"camera shake of about \d+ px"),
        (disk_kernel(0.0), "hardly any blur"),
    ],
)
def test_kernels_are_named_as_photographers_name_them(kernel, words):

    assert re.fullmatch(words, describe_kernel(kernel))
