"""Blur operators and their adjoints under one interface: one kernel, kernels that vary over the photo, a motion field.

For all images a and b of fitting sizes, `<operator.apply(a), b> = <a, operator.adjoint(b)>`.
"""

from __future__ import annotations

from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.blur.borders import Boundary
from unblur.blur.convolve import convolve, convolve_adjoint
from unblur.blur.fft import from_spectrum, kernel_spectrum, multiply, multiply_conjugate, power, spectrum
from unblur.blur.motion_fields import blur_by_motion_field
from unblur.errors import ShapeError
from unblur.solvers.frame import Frame

__all__ = ["BlurOperator", "FramedBlur", "KernelBlur", "MotionBlur", "VaryingBlur"]

Images = Float[Tensor, "b c h w"]


class BlurOperator(Protocol):
    """A linear model of blur."""

    def apply(self, image: Images) -> Tensor:
        """The image blurred."""
        ...

    def adjoint(self, blurry: Images) -> Tensor:
        """The adjoint: light of a blurred image distributed over the places that it may have come from."""
        ...


class FramedBlur:
    """One kernel on circular frames: by the Fourier transform, with the kernel's spectrum computed once.

    With N kernels, it is the blur of N photos of one image, each by a kernel of its own; the photos are the channels.

    Args:
        kernel: `(B or 1, 1 or N, kH, kW)`, odd sizes, sum 1.
        size: Height and width of the frame.

    Attributes:
        spectrum: Spectrum of the kernel on the frame.
        size: Height and width of the frame.
    """

    def __init__(self, kernel: Float[Tensor, "#b n kh kw"], size: tuple[int, int]) -> None:
        self.size = size
        self.spectrum = kernel_spectrum(kernel, size)

    @classmethod
    def around(cls, photo: Images, kernel: Float[Tensor, "#b n kh kw"]) -> tuple[Frame, FramedBlur]:
        """The smallest quick frame for a photo, and the blur on it."""
        frame = Frame.around((photo.shape[-2], photo.shape[-1]), (kernel.shape[-2], kernel.shape[-1]))
        return frame, cls(kernel, frame.size)

    @property
    def power(self) -> Tensor:
        """How much of each frequency's power the blur lets through."""
        return self.gather(power(self.spectrum))

    def gather(self, values: Tensor) -> Tensor:
        """What N photos say of their one image, together: the sum over channels; with one kernel the values alone."""
        return values.sum(1, keepdim=True) if self.spectrum.shape[1] > 1 else values

    def apply(self, image: Images) -> Tensor:
        """See `BlurOperator.apply`; the image fills the frame."""
        return from_spectrum(multiply(self.spectrum, spectrum(image)), self.size)

    def adjoint(self, blurry: Images) -> Tensor:
        """See `BlurOperator.adjoint`."""
        return from_spectrum(self.gather(multiply_conjugate(self.spectrum, spectrum(blurry))), self.size)


class KernelBlur:
    """One kernel, with any boundary; see `unblur.blur.convolve.Boundary`.

    Args:
        kernel: `(B or 1, C or 1, kH, kW)`, odd sizes.
        boundary: What lies outside the image.
    """

    def __init__(self, kernel: Float[Tensor, "#b #c kh kw"], boundary: Boundary = "reflect") -> None:
        self.kernel = kernel
        self.boundary: Boundary = boundary

    def apply(self, image: Images) -> Tensor:
        """See `BlurOperator.apply`."""
        return convolve(image, self.kernel, self.boundary)

    def adjoint(self, blurry: Images) -> Tensor:
        """See `BlurOperator.adjoint`."""
        return convolve_adjoint(blurry, self.kernel, self.boundary)


class VaryingBlur:
    """Blur that varies over the photo as a mixture of basis kernels.

    `apply(x) = sum over n of mix_n (kernel_n * x)`: each pixel of the photo gathers its light by its own mixture, so
    that even light stays even; the transposed order of efficient filter flow (Hirsch, Sra, Schölkopf, Harmeling, CVPR
    2010).

    Args:
        kernel_basis: `(N, 1, kH, kW)`, odd sizes, sum 1 each.
        kernel_mix: `(1, N, H, W)`: share of each basis kernel at each pixel; the shares of a pixel sum to 1.
        boundary: What lies outside the image.

    Raises:
        ShapeError: Not as many shares as kernels.
    """

    def __init__(
        self,
        kernel_basis: Float[Tensor, "n 1 kh kw"],
        kernel_mix: Float[Tensor, "1 m h w"],
        boundary: Boundary = "reflect",
    ) -> None:
        if kernel_basis.shape[0] != kernel_mix.shape[1]:
            raise ShapeError(f"{kernel_basis.shape[0]} kernels need as many shares, not {kernel_mix.shape[1]}")
        self.kernel_basis, self.kernel_mix = kernel_basis, kernel_mix
        self.boundary: Boundary = boundary

    def apply(self, image: Images) -> Tensor:
        """See `BlurOperator.apply`."""
        return sum(
            (share * convolve(image, kernel, self.boundary) for kernel, share in self._parts()), image.new_zeros(())
        )

    def adjoint(self, blurry: Images) -> Tensor:
        """See `BlurOperator.adjoint`."""
        return sum(
            (convolve_adjoint(share * blurry, kernel, self.boundary) for kernel, share in self._parts()),
            blurry.new_zeros(()),
        )

    def _parts(self) -> list[tuple[Tensor, Tensor]]:
        return list(zip(self.kernel_basis.split(1), self.kernel_mix.split(1, dim=1), strict=True))


class MotionBlur:
    """Blur along each pixel's own straight line; see `unblur.blur.motion_fields.blur_by_motion_field`.

    Args:
        motion_field: `(1, 2, H, W)`: displacement (right, down) in pixels over the exposure.
    """

    def __init__(self, motion_field: Float[Tensor, "1 2 h w"]) -> None:
        self.motion_field = motion_field

    def apply(self, image: Images) -> Tensor:
        """See `BlurOperator.apply`."""
        return blur_by_motion_field(image, self.motion_field)

    def adjoint(self, blurry: Images) -> Tensor:
        """See `BlurOperator.adjoint`: the transposed product of a linear map, by automatic differentiation."""
        with torch.enable_grad():
            image = torch.zeros_like(blurry, requires_grad=True)
            (back,) = torch.autograd.grad(self.apply(image), image, blurry)
        return back
