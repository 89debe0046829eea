"""DUBLID: half-quadratic blind deblurring, ten steps of it unrolled into layers with learnt filters and thresholds.

Li, Tofighi, Geng, Monga, Eldar, "Efficient and interpretable deep blind image deblurring via algorithm unrolling",
IEEE TCI 2020. In the domain of learnt filters f_i, with g_i for the filtered sharp image and z_i for its sparse twin:

    min over k, g, z   sum_i ( 1/2 |f_i*y - k*g_i|²  +  λ_i |z_i|₁  +  1/(2ζ_i) |g_i - z_i|² )
    subject to         sum k = 1,  k ≥ 0

One layer updates g, z and k once in closed form. Spectra are those of real images, so half of them is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from unblur.blur.fft import from_spectrum, kernel_spectrum
from unblur.errors import ShapeError
from unblur.methods.dublid.retrieval import RetrievalSystem, retrieve
from unblur.methods.dublid.spectra import filter_step, shrink, to_spectrum

__all__ = ["Dublid", "Estimate", "FrameKind", "Variant", "move", "offset_of_mass"]

Variant = Literal["code", "paper"]
FrameKind = Literal["released", "tight"]

_REACHES: dict[FrameKind, int] = {"released": 2, "tight": 1}
_MULTIPLES: dict[FrameKind, int] = {"released": 64, "tight": 32}

# learnables are stored at a handy scale; these turn them into what the formulas use
_ZETA_SCALE = 10.0
_KERNEL_THRESHOLD_SCALE = 0.01
_SHARPNESS = 100.0
"""How close the soft maximum of a kernel is to its maximum."""
_TINY = 1e-8


@dataclass(frozen=True)
class Estimate:
    """What the network answers.

    Attributes:
        image: Sharp image `(B, C, H, W)`, not clamped.
        kernel: `(B, 1, k, k)`, non-negative, sum 1.
        kernels: The kernel after each layer.
    """

    image: Tensor
    kernel: Tensor
    kernels: tuple[Tensor, ...]


class Dublid(nn.Module):
    """The unrolled network.

    Args:
        channels: Number of filters.
        layers: Number of unrolled steps.
        in_channels: 1 for grey photos, 3 for colour.
        kernel_size: Odd side of the box that the kernel is searched in.
        frame: Of the Fourier transforms. `"tight"` holds all of the sharp image that a kernel in its box brings into
            the photo; `"released"` adds the kernel's reach twice, as the released network, for 1.5 to 1.7 times the
            time and the same result.
        frame_multiple: Height and width of the frame are multiples of this; None: of 32, as released of 64.
        variant: Kernel step: `"code"` stays near the kernel of the layer before (as released), `"paper"` solves anew.
        group: Filters that are worked on at a time: few fit into the processor's cache, many fill a GPU. None: all.
    """

    def __init__(
        self,
        channels: int = 16,
        layers: int = 10,
        in_channels: int = 1,
        kernel_size: int = 45,
        *,
        frame: FrameKind = "released",
        frame_multiple: int | None = None,
        variant: Variant = "code",
        group: int | None = None,
    ) -> None:
        super().__init__()
        if in_channels not in (1, 3):
            raise ShapeError(f"the network takes images of 1 or 3 channels, not {in_channels}")
        self.channels, self.layers, self.in_channels = channels, layers, in_channels
        self.kernel_size, self.variant = kernel_size, variant
        self.frame: FrameKind = frame
        self.frame_multiple = frame_multiple or _MULTIPLES[frame]
        self.group = group or channels
        banks = [torch.empty(channels, in_channels if stage == 0 else channels, 3, 3) for stage in range(layers)]
        for bank in banks:
            nn.init.xavier_normal_(bank)
        self.weight_list = nn.ParameterList(banks)
        self.bias_list = nn.ParameterList([torch.full((1, channels, 1, 1), 0.02) for _ in range(layers + 2)])
        self.kernel_bias_list = nn.ParameterList([torch.zeros(1) for _ in range(layers)])
        self.kernel_prox_list = nn.ParameterList([torch.ones(1) for _ in range(layers)])
        self.prox_list = nn.ParameterList([torch.ones(1, channels, 1, 1) for _ in range(layers + 1)])

    def forward(
        self,
        blurry: Float[Tensor, "b c h w"],
        start: Float[Tensor, "b 1 k k"] | None = None,
        *,
        centred: bool = False,
    ) -> Estimate:
        """The sharp image and the kernel.

        Args:
            blurry: In [0, 1], at least 2x2 pixels; the kernel must fit into the box.
            start: The kernel to begin with, of the size of the box; None: an impulse.
            centred: Move kernel and image, by whole pixels and against each other, until the kernel's centre of mass
                lies at its centre. Without it they lie where the loss of the training left them.

        Raises:
            ShapeError: Wrong number of channels, or an image below 2x2 pixels.
        """
        frame = self._check(blurry)
        latent, kernel, kernels = self._unroll(self.features(blurry), frame, start)
        image = self._retrieve(blurry, latent, kernel, frame)
        if centred:
            offset = offset_of_mass(kernel)
            # a kernel that lies further down has left an image that lies further up
            image, kernel = move(image, offset), _centred(kernel, offset)
        half, (height, width) = self.kernel_size // 2, blurry.shape[-2:]
        return Estimate(image[..., half : half + height, half : half + width], kernel, kernels)

    def find_kernel(self, blurry: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 k k"]:
        """The kernel that `forward` finds, centred, without the image.

        Args:
            blurry: As of `forward`.

        Raises:
            ShapeError: As of `forward`.
        """
        _, kernel, _ = self._unroll(self.features(blurry), self._check(blurry), None)
        return _centred(kernel, offset_of_mass(kernel))

    def frame_size(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) of the frame: the photo and the kernel's reach, rounded up."""
        around, multiple = _REACHES[self.frame] * (self.kernel_size - 1), self.frame_multiple
        # Not by negative numbers: exporters round their quotients to zero, Python downwards.
        rows, columns = ((side + around + multiple - 1) // multiple * multiple for side in (height, width))
        return rows, columns

    def first_filters(self) -> Float[Tensor, "c i 3 3"]:
        """The filters of the first stage: each slice has mean 0, so that none sees the brightness."""
        bank = self.weight_list[0]
        return bank - bank.mean((-2, -1), keepdim=True)

    def features(self, blurry: Float[Tensor, "b i h w"]) -> list[Float[Tensor, "b c h w"]]:
        """The image after 1, 2, ... stages of filters; layer l works on stage L - l: large filters first."""
        # the first stage convolves (flipped filters), the others correlate, as in the released network
        stage = functional.conv2d(_reflect(blurry), self.first_filters().flip((-2, -1)))
        stages = [stage]
        for bank in list(self.weight_list)[1:]:
            stage = functional.conv2d(_reflect(stage), bank)
            stages.append(stage)
        return stages

    def zetas(self, stage: int) -> Float[Tensor, "1 c 1 1"]:
        """ζ of a layer; of the stage after the last, -1, η of the retrieval."""
        return _ZETA_SCALE * self.prox_list[stage]

    def impulse(self, like: Float[Tensor, "b ..."]) -> Float[Tensor, "b 1 k k"]:
        """The kernel that blurs nothing, one for each image."""
        impulse = like.new_zeros(like.shape[0], 1, self.kernel_size, self.kernel_size)
        impulse[..., self.kernel_size // 2, self.kernel_size // 2] = 1.0
        return impulse

    def finish_kernel(self, layer: int, solved: Float[Tensor, "b 1 fh fw"]) -> Float[Tensor, "b 1 k k"]:
        """The kernel of a layer: the least-squares solution in the frame, thresholded, cropped to its box, sum 1."""
        largest = _soft_maximum(solved) if self.variant == "code" else torch.logsumexp(solved, (-2, -1), keepdim=True)
        box = solved[..., : self.kernel_size, : self.kernel_size]
        kept = functional.relu(box - _KERNEL_THRESHOLD_SCALE * self.kernel_bias_list[layer] * largest)
        return (kept + _TINY * self.impulse(kept)) / (kept.sum((-2, -1), keepdim=True) + _TINY)

    def config(self) -> dict[str, int | str]:
        """What the network is built from, for the file of its weights."""
        return {
            "channels": self.channels,
            "layers": self.layers,
            "in_channels": self.in_channels,
            "kernel_size": self.kernel_size,
            "variant": self.variant,
            "frame": self.frame,
        }

    @torch.no_grad()
    def project(self) -> None:
        """Clamp to zero what must not be negative; called after each step of an optimiser."""
        for values in (*self.bias_list, *self.kernel_bias_list, *self.prox_list, *self.kernel_prox_list):
            values.clamp_(min=0)

    def _check(self, blurry: Tensor) -> tuple[int, int]:
        """The size of the frame for a photo that the network takes."""
        height, width = blurry.shape[-2:]
        if blurry.shape[1] != self.in_channels or min(height, width) < 2:
            raise ShapeError(
                f"the network takes (B, {self.in_channels}, H, W) from 2x2 pixels up, not {tuple(blurry.shape)}"
            )
        return self.frame_size(height, width)

    def _unroll(
        self, features: list[Tensor], frame: tuple[int, int], start: Tensor | None
    ) -> tuple[list[Tensor], Tensor, tuple[Tensor, ...]]:
        """All layers; the filtered sharp image at the end (by groups, before its threshold) and the kernels."""
        half = self.kernel_size // 2
        kernel = self.impulse(features[0]) if start is None else start
        spectrum = to_spectrum(kernel, frame)
        # A frame is circular: the photo lies at its origin, the kernel too, so the sharp image begins before it.
        begins = torch.roll(_place(features[-1], frame), (-half, -half), (-2, -1))
        sparse = [
            to_spectrum(shrink(part, bias), frame)
            for part, bias in zip(self._split(begins), self._split(self.bias_list[0]), strict=True)
        ]
        latent: list[Tensor] = []
        kernels: list[Tensor] = []
        for layer in range(self.layers):
            observed = self._split(features[self.layers - 1 - layer])
            zetas = self._split(self.zetas(layer))
            biases = self._split(self.bias_list[layer + 1])
            votes, weights = torch.zeros_like(spectrum), torch.zeros_like(spectrum.real)
            latent = []
            for i, (part, zeta, bias) in enumerate(zip(observed, zetas, biases, strict=True)):
                seen = to_spectrum(part, frame)
                found, sparse[i], vote, weight = filter_step(
                    seen, sparse[i], spectrum, zeta=zeta, threshold=bias, frame=frame
                )
                latent.append(found)
                votes, weights = votes + vote, weights + weight
            kernel = self._kernel_step(layer, votes, weights, spectrum, frame)
            spectrum = to_spectrum(kernel, frame)
            kernels.append(kernel)
        return latent, kernel, tuple(kernels)

    def _kernel_step(
        self, layer: int, votes: Tensor, weights: Tensor, previous: Tensor, frame: tuple[int, int]
    ) -> Tensor:
        """The kernel that explains the filtered images best."""
        trust = self.kernel_prox_list[layer]
        drawn = trust * votes + previous if self.variant == "code" else trust * votes  # ε = 1 / trust
        return self.finish_kernel(layer, from_spectrum(drawn / (trust * weights + 1), frame))

    def _retrieve(self, blurry: Tensor, latent: list[Tensor], kernel: Tensor, frame: tuple[int, int]) -> Tensor:
        """The image, whose filtered versions are nearest to those found, in the frame from its first pixel on."""
        biases = self._split(self.bias_list[-1])
        details = torch.cat(
            [to_spectrum(shrink(part, bias), frame) for part, bias in zip(latent, biases, strict=True)], dim=1
        )
        system = RetrievalSystem(
            blurry=to_spectrum(blurry, frame),
            kernel=to_spectrum(kernel, frame),
            filters=kernel_spectrum(self.first_filters(), frame),
            details=details,
            strengths=self.zetas(-1),
        )
        reach = self.kernel_size - 1
        return torch.roll(from_spectrum(retrieve(system), frame), (reach, reach), (-2, -1))

    def _split(self, values: Tensor) -> list[Tensor]:
        return list(values.split(self.group, dim=1))


def move(images: Float[Tensor, "b c h w"], shift: Int[Tensor, "b 2"]) -> Float[Tensor, "b c h w"]:
    """Each image moved by its own whole number of pixels (down, right); what enters is zero."""
    height, width = images.shape[-2:]
    rows = torch.arange(height, device=images.device)[None] - shift[:, :1]
    columns = torch.arange(width, device=images.device)[None] - shift[:, 1:]
    inside = ((rows >= 0) & (rows < height))[:, None, :, None] & ((columns >= 0) & (columns < width))[:, None, None, :]
    batch = torch.arange(len(images), device=images.device)[:, None, None]
    taken = images.transpose(0, 1)[
        :, batch, rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None]
    ]
    return taken.transpose(0, 1) * inside


def offset_of_mass(kernels: Float[Tensor, "b 1 k k"]) -> Int[Tensor, "b 2"]:
    """How far (down, right), in whole pixels, the centre of mass of each kernel lies from its centre."""
    axis = torch.arange(kernels.shape[-1], device=kernels.device, dtype=kernels.dtype) - kernels.shape[-1] // 2
    mass = kernels.sum((-3, -2, -1))
    down, right = (kernels.sum((1, 3)) @ axis) / mass, (kernels.sum((1, 2)) @ axis) / mass
    return torch.stack([down, right], dim=1).round().long()


def _centred(kernels: Tensor, offset: Tensor) -> Tensor:
    """Each kernel with its centre of mass, which lies so far off, at its centre."""
    moved = move(kernels, -offset)
    return moved / moved.sum((-2, -1), keepdim=True)


def _place(image: Tensor, frame: tuple[int, int]) -> Tensor:
    """The image at the frame's origin; zeros around."""
    return functional.pad(image, (0, frame[1] - image.shape[-1], 0, frame[0] - image.shape[-2]))


def _soft_maximum(values: Tensor) -> Tensor:
    """The logarithm of the sum of exponentials; none becomes so small a number that processors are slow with it."""
    largest = values.amax((-2, -1), keepdim=True)
    exponents = (_SHARPNESS * (values - largest)).clamp_min(-80)
    return largest + exponents.exp().sum((-2, -1), keepdim=True).log() / _SHARPNESS


def _reflect(image: Tensor) -> Tensor:
    return functional.pad(image, (1, 1, 1, 1), mode="reflect")
