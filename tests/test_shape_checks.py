"""The checks of shapes find what is wrong: no test says so otherwise."""

import sys

import pytest
import torch
from jaxtyping import TypeCheckError

import shape_checks
from unblur.blur.convolve import convolve

MODULE = """
from __future__ import annotations
from typing import NamedTuple
import torch
from jaxtyping import Float
from torch import Tensor

Image = Float[Tensor, "b c h w"]


def crop(image: Image, side: int) -> Float[Tensor, "b c {side} {side}"]:
    return image[..., :2, :2]


class Halves:
    @staticmethod
    @torch.no_grad()
    def left(image: Image) -> Image:
        return image[..., : image.shape[-1] // 2]

    @property
    def mean(self) -> Float[Tensor, " b"]:
        return torch.zeros(())
"""


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A module as the hook of this test run makes it."""
    (tmp_path / "made_for_shapes.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    shape_checks.install("made_for_shapes")
    import made_for_shapes

    yield made_for_shapes
    del sys.modules["made_for_shapes"]


def test_arguments_answers_methods_and_properties_are_checked(made):
    assert made.crop(torch.rand(1, 3, 4, 5), 2).shape == (1, 3, 2, 2)
    for wrong in (
        lambda: made.crop(torch.rand(3, 4, 5), 2),
        lambda: made.crop(torch.rand(1, 3, 4, 5), 3),
        lambda: made.Halves.left(torch.rand(1, 3, 4, 6)),
        lambda: made.Halves().mean,
    ):
        with pytest.raises(TypeCheckError):
            wrong()


def test_only_the_first_calls_of_a_test_are_checked(made):
    for _ in range(shape_checks.CALLS):
        made.crop(torch.rand(1, 3, 4, 5), 2)
    made.crop(torch.rand(3, 4, 5), 2)
    shape_checks.forget_calls()
    with pytest.raises(TypeCheckError):
        made.crop(torch.rand(3, 4, 5), 2)


def test_shapes_that_cannot_be_checked_are_no_secret(tmp_path, monkeypatch):
    (tmp_path / "blind_to_shapes.py").write_text(
        "from __future__ import annotations\ndef f(x: Float[Tensor, 'b']): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    shape_checks.install("blind_to_shapes")
    with pytest.raises(TypeError, match="the shape of x in f cannot be checked"):
        import blind_to_shapes  # noqa: F401


def test_the_package_is_checked():
    with pytest.raises(TypeCheckError):
        convolve(torch.rand(1, 3, 8, 8), torch.rand(3, 3), "reflect")


@pytest.mark.usefixtures("wrong_shapes")
def test_a_test_may_ask_for_the_error_of_the_package_itself():
    with pytest.raises(ValueError, match="kernel"):
        convolve(torch.rand(1, 3, 8, 8), torch.rand(3, 3), "reflect")
