import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unblur.blur.borders import Padding, crop_padding, extend, extend_adjoint, pad_reflect, pad_to_multiple


@pytest.mark.parametrize("boundary", ["circular", "reflect", "replicate"])
def test_extension_equals_numpy(boundary):
    mode = {"circular": "wrap", "reflect": "reflect", "replicate": "edge"}[boundary]
    for height, width in ((1, 1), (2, 3), (5, 4)):
        image = torch.rand(1, 1, height, width)
        expected = np.pad(image[0, 0].numpy(), ((6, 6), (9, 9)), mode=mode)
        np.testing.assert_array_equal(extend(image, (6, 9), boundary)[0, 0].numpy(), expected)


def test_extension_adjoint_sums_every_copy():
    ones = torch.ones(1, 1, 3 + 4, 4 + 2)
    assert extend_adjoint(ones, (2, 1), "replicate").sum() == ones.sum()
    assert extend_adjoint(ones, (2, 1), "zeros").sum() == 12


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 9), st.integers(1, 9), st.tuples(*[st.integers(0, 30)] * 4))
def test_reflection_of_any_size_agrees_with_numpy(height: int, width: int, sides: tuple[int, int, int, int]) -> None:
    image = torch.arange(height * width, dtype=torch.float32).reshape(1, 1, height, width)
    left, right, top, bottom = sides
    padded = pad_reflect(image, Padding(left, right, top, bottom))
    expected = np.pad(image[0, 0].numpy(), ((top, bottom), (left, right)), mode="reflect")
    np.testing.assert_array_equal(padded[0, 0].numpy(), expected)
    torch.testing.assert_close(crop_padding(padded, Padding(left, right, top, bottom)), image, atol=0, rtol=0)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([1, 4, 8, 32]))
def test_padding_to_a_multiple_is_least_and_undone(height: int, width: int, multiple: int) -> None:
    image = torch.rand(1, 2, height, width)
    padded, padding = pad_to_multiple(image, multiple)
    for side, before in zip(padded.shape[2:], (height, width), strict=True):
        assert side % multiple == 0
        assert before <= side < before + multiple
    assert torch.equal(crop_padding(padded, padding), image)
