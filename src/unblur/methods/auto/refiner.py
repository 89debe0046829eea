"""The learned refiner: a restored photo made cleaner, with the blurry photo and what the kernel does not explain.

One small network sees both photos; it may take the blurry one where the answer rings (a gate for each pixel), and add
what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from jaxtyping import Float
from torch import Tensor

from unblur.backbones.folded import FoldedNet
from unblur.blur.convolve import convolve
from unblur.images.tensors import linear_to_srgb, srgb_to_linear
from unblur.images.tiling import run_tiled
from unblur.system.precision import choose_precision

__all__ = ["REFINER_CONFIG", "AnswerRefiner", "has_colour", "reblur_residual", "refine_answer"]

REFINER_CONFIG = {"channels": 48, "depth": 8, "coarse_channels": 96, "coarse_depth": 4, "coarse_levels": 2}
"""Size of the refiner that ships."""
_COLOURS = 3
_LEAST_COLOUR = 1 / 255
_RESIDUAL_SCALE = 10.0
_NOISE_SCALE = 50.0
"""What brings residuals and noise to the size of the other inputs."""
_CLOSED = 4.0
"""A new network's gate lets 2% of the blurry photo through."""
_TILE, _HALO = 768, 64

Images = Float[Tensor, "b 3 h w"]


class AnswerRefiner(FoldedNet):
    """What it takes of the blurry photo and adds to the answer, pixel by pixel.

    Args:
        channels: Channels of the hidden layers.
        depth: Number of convolutions.
        coarse_channels: Channels at the coarser resolutions.
        coarse_depth: Number of convolutions at each of them.
        coarse_levels: Number of coarser resolutions, each half of the one before.
    """

    def __init__(self, channels: int, depth: int, coarse_channels: int, coarse_depth: int, coarse_levels: int) -> None:
        super().__init__(
            3 * _COLOURS,
            2,
            _COLOURS + 1,
            channels=channels,
            depth=depth,
            coarse_channels=coarse_channels,
            coarse_depth=coarse_depth,
            coarse_levels=coarse_levels,
        )

    def forward(
        self, answer: Images, blurry: Images, residual: Images, noise: Float[Tensor, " b"], jpeg: Float[Tensor, " b"]
    ) -> Images:
        """The cleaner image, not clamped; that of a new network is nearly the answer.

        Args:
            answer: Restored photo, sRGB-encoded, in [0, 1]; sides are multiples of `multiple`.
            blurry: The photo.
            residual: Reblurred answer less the photo.
            noise: Standard deviation in the photo, see `estimate_noise`.
            jpeg: See `estimate_jpeg_coarseness`.
        """
        images = torch.cat([answer, blurry, _RESIDUAL_SCALE * residual], 1)
        change = self.run(images, _NOISE_SCALE * noise, jpeg)
        gate = torch.sigmoid(change[:, _COLOURS:] - _CLOSED)
        return answer + gate * (blurry - answer) + change[:, :_COLOURS]


def has_colour(image: Float[Tensor, "b c h w"]) -> bool:
    """Whether an image is RGB and its channels differ: the refiner learned on such photos, whose noise differs, too."""
    if image.shape[1] != _COLOURS:
        return False
    return float((image - image.mean(1, keepdim=True)).abs().mean()) > _LEAST_COLOUR


def reblur_residual(
    answer: Float[Tensor, "b c h w"],
    blurry: Float[Tensor, "b c h w"],
    kernel: Float[Tensor, "1 1 kh kw"],
    encoding: Literal["encoded", "linear"],
) -> Float[Tensor, "b c h w"]:
    """The answer blurred again, less the photo; sRGB-encoded."""
    if encoding == "encoded":
        return convolve(answer, kernel, "replicate") - blurry
    return linear_to_srgb(convolve(srgb_to_linear(answer), kernel, "replicate").clamp(0, 1)) - blurry


@torch.no_grad()
def refine_answer(
    network: AnswerRefiner,
    answer: Images,
    blurry: Images,
    kernel: Float[Tensor, "1 1 kh kw"],
    *,
    encoding: Literal["encoded", "linear"],
    noise: float,
    jpeg_coarseness: float,
) -> Images:
    """The answer refined, tile by tile; convolved in bfloat16 where the processor has it, which no 8-bit image shows.

    Args:
        network: With its weights.
        answer: The solver's image, sRGB-encoded.
        blurry: The photo, in [0, 1].
        kernel: That was found.
        encoding: Where it blurs.
        noise: Noise of the photo, see `estimate_noise`.
        jpeg_coarseness: See `estimate_jpeg_coarseness`.
    """
    precision = choose_precision("auto", blurry.device)
    halves = precision == torch.bfloat16 and blurry.dtype == torch.float32
    numbers = [blurry.new_full((len(blurry),), value) for value in (noise, jpeg_coarseness)]
    clean = answer.clamp(0, 1)
    stacked = torch.cat([clean, blurry, reblur_residual(clean, blurry, kernel, encoding)], 1)
    height, width = stacked.shape[-2:]
    padded = F.pad(stacked, (0, -width % network.multiple, 0, -height % network.multiple), mode="replicate")

    def run(part: Tensor, on_step: Callable[[], None]) -> Tensor:
        on_step()
        with torch.autocast(part.device.type, precision, enabled=halves):  # of this thread alone
            return network(*part.split(_COLOURS, dim=1), *numbers)

    # All tiles begin where pixels of the coarsest resolution do, as the whole photo does.
    refined = run_tiled(padded, run, _TILE, _HALO, multiple=network.multiple, on_step=lambda: None)
    return refined[..., :height, :width]
