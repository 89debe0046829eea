"""Two networks that together have to explain one photo: what SelfDeblur minimises (Ren et al., CVPR 2020, Eq. 8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from unblur.backbones.kernel_mlp import KernelMlp
from unblur.backbones.skipnet import image_prior
from unblur.blur.convolve import convolve, extend
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.losses.content import mean_square
from unblur.losses.structure import structural_difference, total_variation
from unblur.methods.optimisation.problem import Evaluation
from unblur.methods.selfdeblur.courses import Course
from unblur.methods.selfdeblur.weak import WeakLosses

__all__ = ["PhotoFit", "Sight", "TaughtFit"]

_IMAGE_CODE, _KERNEL_CODE = 8, 200
_CODE_SCALE = 0.1
_NOISE = 1e-3
"""Added to the image code anew at each step, so that the network cannot learn single pixels by heart."""

Grey = Float[Tensor, "1 1 h w"]
Kernel = Float[Tensor, "1 1 kh kw"]


@dataclass(frozen=True)
class Sight:
    """How the photo came about, as far as it is known.

    Attributes:
        size: Height and width of the kernel.
        light: In which the blur took place.
        kernel: To begin with, of that size; None: from nothing.
        is_known: That kernel is the truth.
    """

    size: tuple[int, int]
    light: Literal["encoded", "linear"]
    kernel: Kernel | None = None
    is_known: bool = False

    def blur(self, image: Grey, kernel: Kernel, boundary: Literal["valid", "replicate"] = "valid") -> Grey:
        """An sRGB-encoded image blurred in its light, sRGB-encoded."""
        if self.light == "encoded":
            return convolve(image, kernel, boundary)
        return linear_to_srgb(convolve(srgb_to_linear(image), kernel, boundary))


class PhotoFit:
    """The image network and the kernel network of one photo; see `Problem`.

    Args:
        blurry: Brightness of the photo, sRGB-encoded.
        sight: How it was blurred.
        course: Width, rates, and when the loss changes.
        seed: Of weights, codes and noise.
        precision: Of the convolutions of the image network.
        tv: Weight of the total variation.
        guide: Takes the place of one channel of the image network's input: an image near the one that is looked for,
            of the photo's size, which the network then reaches in a few steps.
    """

    def __init__(
        self,
        blurry: Grey,
        sight: Sight,
        course: Course,
        *,
        seed: int,
        precision: torch.dtype,
        tv: float = 0.0,
        guide: Grey | None = None,
    ) -> None:
        self.blurry, self.sight, self.course = blurry, sight, course
        self._precision, self._tv = precision, tv
        self.generator = torch.Generator().manual_seed(seed)
        self.weak: WeakLosses | None = None
        rows, columns = (side + size - 1 for side, size in zip(blurry.shape[-2:], sight.size, strict=True))
        self.image_code = self._draw(1, _IMAGE_CODE, rows, columns)
        if guide is not None:
            margin = sight.size[0] // 2, sight.size[1] // 2
            self.image_code[:, :1] = _CODE_SCALE * extend(guide, margin, "replicate")
        self._kernel_code = self._draw(_KERNEL_CODE)
        with torch.random.fork_rng(devices=[]):  # layers draw their weights from the common source only
            torch.manual_seed(seed)
            self.image_network = image_prior(in_channels=_IMAGE_CODE, width=course.width)
            self.kernel_network = KernelMlp(sight.size, code=_KERNEL_CODE)
        self.networks = nn.ModuleList([self.image_network, self.kernel_network]).to(blurry)
        # With the channels of a pixel side by side, convolutions on a processor are quickest.
        self.image_network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - no stub
        if sight.kernel is not None:
            self.kernel_network.start_from(sight.kernel, self._kernel_code)

    def groups(self) -> list[dict[str, Any]]:
        """See `Problem.groups`."""
        image = {"params": list(self.image_network.parameters()), "lr": self.course.image_rate}
        kernel = {"params": list(self.kernel_network.parameters()), "lr": self.course.kernel_rate}
        return [image] if self.sight.is_known else [image, kernel]

    def evaluate(self, step: int) -> Evaluation:
        """See `Problem.evaluate`; the criterion is 1 - SSIM of the photo and the image blurred again."""
        whole, kernel = self.draw_image(), self.kernel()
        reblurred = self.sight.blur(whole, kernel)
        image = self.crop(whole)
        structure = structural_difference(reblurred, self.blurry).mean().to(reblurred)
        squares = mean_square(reblurred, self.blurry).mean()
        terms = {"fit": squares if step < self.course.squares_until else structure}
        if self._tv > 0:
            terms["tv"] = self._tv * total_variation(image).mean()
        if self.weak is not None:
            share = step / self.course.schedule.steps
            terms |= self.weak.terms(image, reblurred, self._reblurring(kernel), step=step, share=share)
        loss = torch.stack([term.to(image) for term in terms.values()]).sum()
        return Evaluation(
            loss,
            answers={"image": image.detach(), "kernel": kernel.detach()},
            criterion=float(structure.detach()),
            traces={name: float(term.detach()) for name, term in terms.items()} | {"squares": float(squares.detach())},
        )

    def changes_at(self, step: int) -> bool:
        """See `Problem.changes_at`."""
        return step == self.course.squares_until

    def stop_quantity(self) -> Callable[[], float] | None:
        """See `Problem.stop_quantity`: what the teacher sees, if it can be asked at every check."""
        return self.weak.measure if self.weak is not None and self.weak.can_measure else None

    def draw_image(self) -> Float[Tensor, "1 1 ih iw"]:
        """The image with a margin of half a kernel on each side, from which light came into the photo."""
        noise = torch.randn(self.image_code.shape, generator=self.generator).to(self.image_code)
        code = (self.image_code + _NOISE * noise).to(memory_format=torch.channels_last)
        half = self._precision == torch.bfloat16
        with torch.autocast(code.device.type, torch.bfloat16, enabled=half):
            return self.image_network(code)

    def kernel(self) -> Kernel:
        """The kernel as it is now."""
        if self.sight.is_known and self.sight.kernel is not None:
            return self.sight.kernel
        return self.kernel_network(self._kernel_code)

    def crop(self, whole: Tensor) -> Grey:
        """The part of the image that the photo shows."""
        top, left = ((size - 1) // 2 for size in self.sight.size)
        return whole[..., top : top + self.blurry.shape[-2], left : left + self.blurry.shape[-1]]

    def _draw(self, *shape: int) -> Tensor:
        return (_CODE_SCALE * torch.rand(shape, generator=self.generator)).to(self.blurry)

    def _reblurring(self, kernel: Tensor) -> Callable[[Tensor], Tensor]:
        return lambda image: self.sight.blur(image, kernel, "replicate")


class TaughtFit:
    """The image network of a photo alone, which learns the teacher's image; see `Problem`.

    Args:
        fit: Has the network.
        taught: Brightness of the teacher's image.
    """

    def __init__(self, fit: PhotoFit, taught: Grey) -> None:
        self._fit, self._taught = fit, taught
        self.networks, self.generator = fit.networks, fit.generator

    def groups(self) -> list[dict[str, Any]]:
        """See `Problem.groups`."""
        return [{"params": list(self._fit.image_network.parameters()), "lr": self._fit.course.image_rate}]

    def evaluate(self, step: int) -> Evaluation:
        """See `Problem.evaluate`."""
        del step
        image = self._fit.crop(self._fit.draw_image())
        loss = mean_square(image, self._taught).mean()
        return Evaluation(loss, {"image": image.detach()}, float(loss.detach()), {})

    def changes_at(self, step: int) -> bool:
        """See `Problem.changes_at`."""
        del step
        return False

    def stop_quantity(self) -> Callable[[], float] | None:
        """See `Problem.stop_quantity`."""
        return None
