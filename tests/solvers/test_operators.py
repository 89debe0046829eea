"""Every blur operator has its adjoint, and agrees with the others where they describe the same blur."""

import pytest
import torch

from unblur.blur.kernels import gaussian_kernel, linear_kernel
from unblur.errors import ShapeError
from unblur.solvers.operators import FramedBlur, KernelBlur, MotionBlur, VaryingBlur

SIZE = (24, 30)
KERNEL = linear_kernel(7, 30).double()
BASIS = torch.cat([linear_kernel(5, 0, size=7), gaussian_kernel(1.0, size=7)]).double()


def ramp() -> torch.Tensor:
    """Shares of two kernels: from one to the other across the photo."""
    share = torch.linspace(0, 1, SIZE[1], dtype=torch.float64).expand(1, 1, *SIZE)
    return torch.cat([share, 1 - share], 1)


def field() -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return 6 * torch.rand(1, 2, *SIZE, generator=generator, dtype=torch.float64) - 3


OPERATORS = {
    "framed": lambda: FramedBlur(KERNEL, SIZE),
    "several photos": lambda: FramedBlur(BASIS.transpose(0, 1), SIZE),
    "circular": lambda: KernelBlur(KERNEL, "circular"),
    "reflect": lambda: KernelBlur(KERNEL, "reflect"),
    "valid": lambda: KernelBlur(KERNEL, "valid"),
    "varying": lambda: VaryingBlur(BASIS, ramp()),
    "motion": lambda: MotionBlur(field()),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_adjoint(name):
    operator = OPERATORS[name]()
    generator = torch.Generator().manual_seed(0)
    channels = 1 if name == "several photos" else 2
    image = torch.rand(1, channels, *SIZE, generator=generator, dtype=torch.float64)
    blurred = operator.apply(image)
    other = torch.rand(blurred.shape, generator=generator, dtype=torch.float64)
    back = operator.adjoint(other)
    assert back.shape == image.shape
    assert float((blurred * other).sum()) == pytest.approx(float((image * back).sum()), rel=1e-9)


@pytest.mark.parametrize("name", ["framed", "several photos", "circular", "reflect", "varying"])
def test_even_light_stays_even(name):
    image = torch.full((1, 1, *SIZE), 0.4, dtype=torch.float64)
    assert torch.allclose(OPERATORS[name]().apply(image), image)


def test_the_same_blur_twice():
    image = torch.rand(1, 1, *SIZE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    framed, circular = (OPERATORS[name]().apply(image) for name in ("framed", "circular"))
    assert torch.allclose(framed, circular)
    alone = VaryingBlur(BASIS[:1], torch.ones(1, 1, *SIZE, dtype=torch.float64)).apply(image)
    assert torch.allclose(alone, KernelBlur(BASIS[:1]).apply(image))


def test_shares_and_kernels_are_counted():
    with pytest.raises(ShapeError, match="2 kernels need as many shares, not 1"):
        VaryingBlur(BASIS, torch.ones(1, 1, *SIZE))
