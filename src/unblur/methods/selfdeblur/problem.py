"""Two networks that together explain one photo: the loss of SelfDeblur (Ren et al., CVPR 2020, Eq. 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from unblur.backbones.kernel_mlp import KernelMlp
from unblur.backbones.skipnet import SkipNet, image_prior
from unblur.blur.borders import extend
from unblur.blur.convolve import convolve
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.losses.content import mean_square
from unblur.losses.smoothness import total_variation
from unblur.losses.structure import ssim_loss
from unblur.methods.kernel_search.refit import refit_kernel
from unblur.methods.optimisation.problem import Evaluation
from unblur.methods.selfdeblur.fit_schedules import FitSchedule
from unblur.methods.selfdeblur.weak import WeakLosses

__all__ = ["BlurModel", "PhotoFit", "TaughtFit", "compare", "explain"]

_IMAGE_CODE, _KERNEL_CODE = 8, 200
_CODE_SCALE = 0.1
_NOISE = 1e-3
"""Added to the image code anew at each step, so that the network cannot learn single pixels by heart."""

_DARKEST = 0.02
"""The logarithm of brightness below this, or as near to 1, would take the network too many steps to change."""

Grey = Float[Tensor, "1 1 h w"]
Kernel = Float[Tensor, "1 1 kh kw"]


@dataclass(frozen=True)
class BlurModel:
    """The blur of the photo, as far as it is known.

    Attributes:
        size: Height and width of the kernel.
        encoding: Where the blur took place.
        kernel: To begin with, of that size; None: from nothing.
        is_known: Whether that kernel is the true one.
    """

    size: tuple[int, int]
    encoding: Literal["encoded", "linear"]
    kernel: Kernel | None = None
    is_known: bool = False

    def blur(
        self, image: Grey, kernel: Kernel, boundary: Literal["valid", "replicate"] = "valid"
    ) -> Float[Tensor, "1 1 bh bw"]:
        """An sRGB-encoded image blurred in that encoding, sRGB-encoded."""
        if self.encoding == "encoded":
            return convolve(image, kernel, boundary)
        return linear_to_srgb(convolve(srgb_to_linear(image), kernel, boundary))


class PhotoFit:
    """The image network and the kernel network of one photo; see `Problem`.

    Args:
        blurry: Brightness of the photo, sRGB-encoded.
        blur_model: How it was blurred.
        fit_schedule: Width, rates, and when the loss changes.
        seed: Seed of weights, codes and noise.
        precision: Type of number of the convolutions of the image network.
        tv: Weight of the total variation.
        guide: Takes the place of one channel of the image network's input: an image near the one that is looked for,
            of the photo's size, which the network then reaches in a few steps; or, if the schedule says so, the network
            makes the change to it, and begins with none.
    """

    def __init__(
        self,
        blurry: Grey,
        blur_model: BlurModel,
        fit_schedule: FitSchedule,
        *,
        seed: int,
        precision: torch.dtype,
        tv: float = 0.0,
        guide: Grey | None = None,
    ) -> None:
        self.blurry, self.blur_model, self.fit_schedule = blurry, blur_model, fit_schedule
        self._precision, self.tv = precision, tv
        self.generator = torch.Generator().manual_seed(seed)
        self.weak: WeakLosses | None = None
        rows, columns = (side + size - 1 for side, size in zip(blurry.shape[-2:], blur_model.size, strict=True))
        self.image_code = self._draw(1, _IMAGE_CODE, rows, columns)
        self.offset: Tensor | None = None
        """What is added to the image network's answer before its sigmoid."""
        if guide is not None:
            margin = blur_model.size[0] // 2, blur_model.size[1] // 2
            whole = extend(guide, margin, "replicate")
            self.image_code[:, :1] = _CODE_SCALE * whole
            self.offset = torch.logit(whole, _DARKEST) if fit_schedule.around_teacher else None
        self.kernel_code = self._draw(_KERNEL_CODE)
        with torch.random.fork_rng(devices=[]):  # layers draw their weights from the common source only
            torch.manual_seed(seed)
            self.image_network = self.make_image_network()
            self.kernel_network = KernelMlp(blur_model.size, code=_KERNEL_CODE)
        if self.offset is not None:
            self.image_network.answer_nothing()
        self.kernel_network.to(blurry)
        self.networks = nn.ModuleList([self.image_network, self.kernel_network])
        if blur_model.kernel is not None:
            self.kernel_network.start_from(blur_model.kernel, self.kernel_code)

    def make_image_network(self, copies: int = 1) -> SkipNet:
        """An image network as this fit's, or several side by side, on the photo's device; see `SkipNet`."""
        network = image_prior(in_channels=_IMAGE_CODE, width=self.fit_schedule.width, copies=copies).to(self.blurry)
        return network.to(memory_format=self.memory_format)  # pyright: ignore[reportCallIssue] - no stub

    def groups(self) -> list[dict[str, Any]]:
        """See `Problem.groups`."""
        image = {"params": list(self.image_network.parameters()), "lr": self.fit_schedule.image_rate}
        kernel = {"params": list(self.kernel_network.parameters()), "lr": self.fit_schedule.kernel_rate}
        return [image] if self.blur_model.is_known else [image, kernel]

    def evaluate(self, step: int) -> Evaluation:
        """See `Problem.evaluate`, and `explain`."""
        whole = self.draw_image()
        self.refit_at(step, whole)
        return explain([self], step, whole, self.kernel())[0]

    def refit_at(self, step: int, whole: Float[Tensor, "1 1 ih iw"]) -> None:
        """Let the kernel network begin anew with the kernel that suits the image, if the schedule says so."""
        if self.fit_schedule.refits_at(step) and not self.blur_model.is_known:
            self.kernel_network.start_from(self.suitable_kernel(self.crop(whole)), self.kernel_code)

    @torch.no_grad()
    def suitable_kernel(self, image: Grey) -> Kernel:
        """See `refit_kernel`."""
        return refit_kernel(self.blurry, image.detach(), self.kernel(), self.blur_model.encoding)

    def changes_at(self, step: int) -> bool:
        """See `Problem.changes_at`."""
        return step == self.fit_schedule.squares_until

    def stop_quantity(self) -> Callable[[], float] | None:
        """See `Problem.stop_quantity`: what the teacher sees, if it can be asked at every check."""
        return self.weak.measure if self.weak is not None and self.weak.can_measure else None

    @property
    def memory_format(self) -> torch.memory_format:
        """How the features of the image network lie in memory.

        In bfloat16, convolutions are quickest with the channels of a pixel side by side. In float32 on a processor
        without AVX-512, the gradient of the weights then takes four times as long as with one plane after another.
        """
        return torch.channels_last if self._precision == torch.bfloat16 else torch.contiguous_format

    def draw_image(self) -> Float[Tensor, "1 1 ih iw"]:
        """The image with a margin of half a kernel on each side, from which light came into the photo."""
        with self.computing():
            return self.image_network(self.draw_code().to(memory_format=self.memory_format), self.offset)

    def draw_code(self) -> Float[Tensor, "1 c ih iw"]:
        """The input of the image network at this step."""
        noise = torch.randn(self.image_code.shape, generator=self.generator).to(self.image_code)
        return self.image_code + _NOISE * noise

    def computing(self) -> torch.autocast:
        """Type of number in which the image network computes."""
        half = self._precision == torch.bfloat16
        return torch.autocast(self.blurry.device.type, torch.bfloat16, enabled=half)

    def kernel(self) -> Kernel:
        """The kernel as it is now."""
        if self.blur_model.is_known and self.blur_model.kernel is not None:
            return self.blur_model.kernel
        return self.kernel_network(self.kernel_code)

    def crop(self, whole: Tensor) -> Float[Tensor, "b c h w"]:
        """The part of the image that the photo shows."""
        top, left = ((size - 1) // 2 for size in self.blur_model.size)
        return whole[..., top : top + self.blurry.shape[-2], left : left + self.blurry.shape[-1]]

    def _draw(self, *shape: int) -> Tensor:
        return (_CODE_SCALE * torch.rand(shape, generator=self.generator)).to(self.blurry)


def explain(
    fits: Sequence[PhotoFit], step: int, whole: Float[Tensor, "b 1 ih iw"], kernels: Float[Tensor, "b 1 kh kw"]
) -> list[Evaluation]:
    """How well images and kernels explain the photos of some fits; the criterion is 1 - SSIM.

    Args:
        fits: Fits of one size, encoding and schedule.
        step: Counted from 0.
        whole: The image of each, with its margin.
        kernels: The kernel of each.
    """
    first = fits[0]
    blurry = torch.cat([fit.blurry for fit in fits])
    reblurred, images = first.blur_model.blur(whole, kernels), first.crop(whole)
    structure = ssim_loss(reblurred, blurry).to(images)
    squares = mean_square(reblurred, blurry).to(images)
    shared = {"fit": squares if step < first.fit_schedule.squares_until else structure}
    if first.tv > 0:
        shared["tv"] = first.tv * total_variation(images).to(images)
    share = step / first.fit_schedule.schedule.steps
    terms = [{name: values[number] for name, values in shared.items()} for number in range(len(fits))]
    for number, fit in enumerate(fits):
        if fit.weak is not None:
            own = slice(number, number + 1)
            reblur = partial(first.blur_model.blur, kernel=kernels[own], boundary="replicate")
            more = fit.weak.terms(images[own], reblurred[own], reblur, step=step, share=share)
            terms[number] |= {name: term.to(images) for name, term in more.items()}
    return _evaluations(terms, {"structure": structure, "squares": squares}, images, kernels)


def _evaluations(
    terms: Sequence[Mapping[str, Tensor]], measures: Mapping[str, Tensor], images: Tensor, kernels: Tensor
) -> list[Evaluation]:
    values = torch.stack([torch.stack(list(row.values())) for row in terms])
    # One fetch for all numbers: on a GPU each waits for everything before it.
    numbers = torch.cat([values, torch.stack(list(measures.values()), 1)], 1).detach().tolist()
    names = [*terms[0], *measures]
    traces = [dict(zip(names, row, strict=True)) for row in numbers]
    return [
        Evaluation(
            values[number].sum(),
            answers={
                "image": images[number : number + 1].detach(),
                "kernel": kernels[number : number + 1].detach(),
            },
            criterion=row.pop("structure"),
            traces=row,
        )
        for number, row in enumerate(traces)
    ]


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
        return [{"params": list(self._fit.image_network.parameters()), "lr": self._fit.fit_schedule.image_rate}]

    def evaluate(self, step: int) -> Evaluation:
        """See `Problem.evaluate`."""
        del step
        return compare(self._fit.crop(self._fit.draw_image()), self._taught)[0]

    def changes_at(self, step: int) -> bool:
        """See `Problem.changes_at`."""
        del step
        return False

    def stop_quantity(self) -> Callable[[], float] | None:
        """See `Problem.stop_quantity`."""
        return None


def compare(images: Float[Tensor, "b 1 h w"], taught: Float[Tensor, "b 1 h w"]) -> list[Evaluation]:
    """How far images are from those that a teacher made."""
    losses = mean_square(images, taught)
    numbers = losses.detach().tolist()
    return [
        Evaluation(loss, {"image": image[None]}, number, {})
        for loss, image, number in zip(losses, images.detach(), numbers, strict=True)
    ]
