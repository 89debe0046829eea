"""What blind deblurring minimises: Tran et al. (CVPR 2021), Algorithm 1, with the numbers of the released code.

The operator F is fixed. Two generators, one of the image x, one of the code k, have to explain the blurry photo y:

    distance(F(x, k), y) + structure + norm * |k| + edges * mean (|gradient of x|^0.66)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from unblur.backbones.skipnet import image_prior
from unblur.losses.charbonnier import charbonnier
from unblur.losses.content import mean_square
from unblur.losses.smoothness import sparse_gradients, total_variation
from unblur.losses.structure import ssim_loss
from unblur.methods.kernel_space.fit_schedules import FitSchedule
from unblur.methods.kernel_space.generators import SHRINKING, CodeNetwork, Free
from unblur.methods.kernel_space.model import KernelSpace
from unblur.methods.optimisation.problem import Evaluation

__all__ = ["BlurFit", "Distance", "Priors", "Start", "WarmFit", "pixel_distance"]

_IMAGE_NOISE, _CODE_NOISE = 8, 64
_NOISE_SCALE, _JITTER = 0.1, 1e-3
"""Range of the generators' inputs, uniform from 0 up, and deviation of the normal noise added at each step."""
_DARKEST = 1 / 512
"""Distance from 0 and 1, half a level of a file, that keeps the image to begin with within reach of a sigmoid."""
_EDGES_SHARE = 0.5
"""Weight of the difference of edges beside that of pixels."""

Photo = Float[Tensor, "1 3 h w"]
Distance = Callable[[Tensor, Tensor], Tensor]
"""Distance of two batches of photos, a number for each photo."""


class Start(NamedTuple):
    """Where a fit begins."""

    image: Photo
    code: Float[Tensor, "1 k gh gw"]


@dataclass(frozen=True)
class Priors:
    """Priors on image and code.

    Attributes:
        image: A network that can make natural images more easily than others, or free numbers.
        code: The same for the code.
        edges: Multiplier of the sparse-edges term.
        norm: Multiplier of the norm of the code.
    """

    image: Literal["network", "free"] = "network"
    code: Literal["network", "free"] = "network"
    edges: float = 1.0
    norm: float = 1.0


@dataclass(frozen=True)
class _Weights:
    """Weights of the terms in one half of the run."""

    distance: float
    structure: float
    norm: float
    edges: float


_FIRST = _Weights(distance=0.6, structure=1.0, norm=5e-5, edges=2e-2)
_SECOND = _Weights(distance=1.0, structure=0.0, norm=5e-4, edges=5e-2)


class BlurFit:
    """Image and code of one photo under a fixed operator; see `Problem`.

    Args:
        operator: F; nothing of it changes.
        blurry: The photo.
        start: The image and the code to begin near; the code stays there for as long as the fit_schedule says.
        fit_schedule: Width, rates, and when the terms change.
        seed: Seed of weights and noise.
        precision: Type of number of the convolutions.
        distance: Between the photo and the image blurred again.
        priors: See `Priors`.
        in_turns: Odd steps change the code alone, even ones the image.
    """

    def __init__(
        self,
        operator: KernelSpace,
        blurry: Photo,
        start: Start,
        fit_schedule: FitSchedule,
        *,
        seed: int,
        precision: torch.dtype,
        distance: Distance,
        priors: Priors,
        in_turns: bool = False,
    ) -> None:
        self.operator, self.blurry, self.start, self.fit_schedule = operator, blurry, start, fit_schedule
        self._precision, self._distance, self._priors, self._in_turns = precision, distance, priors, in_turns
        self.generator = torch.Generator().manual_seed(seed)
        self._image_noise = self._draw(_IMAGE_NOISE, *blurry.shape[-2:])
        self._code_noise = self._draw(_CODE_NOISE, *(SHRINKING * side for side in start.code.shape[-2:]))
        self._offset = None
        if fit_schedule.guided:
            self._image_noise[:, :3] = _NOISE_SCALE * start.image
            self._offset = start.image.logit(_DARKEST)
        with torch.random.fork_rng(devices=[]):  # layers draw their weights from the common source only
            torch.manual_seed(seed)
            self.image_part, self.code_part = self._make_image(), self._make_code()
        self.networks = nn.ModuleList([self.image_part, self.code_part]).to(blurry)
        # With the channels of a pixel side by side, convolutions on a processor are quickest.
        self.networks.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - no stub

    def groups(self) -> list[dict[str, Any]]:
        """See `Problem.groups`."""
        return [
            {"params": list(self.image_part.parameters()), "lr": self.fit_schedule.image_rate},
            {"params": list(self.code_part.parameters()), "lr": self.fit_schedule.code_rate},
        ]

    def evaluate(self, step: int) -> Evaluation:
        """See `Problem.evaluate`; the criterion is 1 - SSIM of the photo and the image blurred again."""
        image, code = self._draw_for(step)
        reblurred = self.blur(image, code)
        structure = ssim_loss(reblurred, self.blurry).mean().to(reblurred)
        weights = _FIRST if step < self.fit_schedule.turning else _SECOND
        terms = {
            "distance": weights.distance * self._distance(reblurred, self.blurry).mean(),
            "structure": weights.structure * structure,
            "norm": self._priors.norm * weights.norm * code.norm(),
            "edges": self._priors.edges * weights.edges * sparse_gradients(image).mean(),
        }
        return Evaluation(
            torch.stack([term.to(image) for term in terms.values()]).sum(),
            answers={"image": image.detach().clamp(0, 1), "code": code.detach()},
            criterion=float(structure.detach()),
            traces={name: float(term.detach()) for name, term in terms.items()},
        )

    def changes_at(self, step: int) -> bool:
        """See `Problem.changes_at`."""
        return 0 < step in (self.fit_schedule.turning, self.fit_schedule.held)

    def stop_quantity(self) -> Callable[[], float] | None:
        """See `Problem.stop_quantity`."""
        return None

    def draw(self) -> tuple[Photo, Float[Tensor, "1 k gh gw"]]:
        """Image and code as they are now."""
        image, noise = self._draw_image(), self._jittered(self._code_noise)
        with self._autocast():
            return image, self.code_part(noise).to(self.blurry)

    def _draw_for(self, step: int) -> tuple[Photo, Tensor]:
        """Both, with a gradient for that alone which learns in a step."""
        if step < self.fit_schedule.held:
            return self._draw_image(), self.start.code
        image, code = self.draw()
        if not self._in_turns:
            return image, code
        return (image.detach(), code) if step % 2 else (image, code.detach())

    def _draw_image(self) -> Photo:
        noise = self._jittered(self._image_noise)
        with self._autocast():
            return self.image_part(noise, self._offset).to(self.blurry)

    def blur(self, image: Photo, code: Tensor) -> Photo:
        """F of both."""
        with self._autocast():
            return self.operator.blur(image, code).to(self.blurry)

    def _make_image(self) -> nn.Module:
        if self._priors.image == "free":
            return Free(self.start.image)
        # The released network asks for a padding that its builder does not know, and so gets zeros.
        padding = "reflect" if self.fit_schedule.guided else "zeros"
        network = image_prior(3, in_channels=_IMAGE_NOISE, width=self.fit_schedule.width, padding=padding)
        if self.fit_schedule.guided:
            network.answer_nothing()
        return network

    def _make_code(self) -> nn.Module:
        return Free(self.start.code) if self._priors.code == "free" else CodeNetwork(self.operator.code)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.blurry.device.type, torch.bfloat16, enabled=self._precision == torch.bfloat16)

    def _draw(self, *shape: int) -> Tensor:
        return (_NOISE_SCALE * torch.rand((1, *shape), generator=self.generator)).to(self.blurry)

    def _jittered(self, noise: Tensor) -> Tensor:
        jitter = torch.randn(noise.shape, generator=self.generator).to(noise)
        return (noise + _JITTER * jitter).to(memory_format=torch.channels_last)


class WarmFit:
    """The generators of a photo, which learn the image and the code to begin near; see `Problem`.

    Args:
        fit: Has the generators.
    """

    def __init__(self, fit: BlurFit) -> None:
        self._fit = fit
        self.networks, self.generator = fit.networks, fit.generator

    def groups(self) -> list[dict[str, Any]]:
        """See `Problem.groups`."""
        return self._fit.groups()

    def evaluate(self, step: int) -> Evaluation:
        """See `Problem.evaluate`."""
        del step
        start = self._fit.start
        image, code = self._fit.draw()
        loss = mean_square(image, start.image).mean() + mean_square(code, start.code).mean()
        return Evaluation(loss, {"image": image.detach()}, float(loss.detach()), {})

    def changes_at(self, step: int) -> bool:
        """See `Problem.changes_at`."""
        del step
        return False

    def stop_quantity(self) -> Callable[[], float] | None:
        """See `Problem.stop_quantity`."""
        return None


def pixel_distance(reblurred: Float[Tensor, "b 3 h w"], blurry: Float[Tensor, "b 3 h w"]) -> Float[Tensor, " b"]:
    """In place of features: the mean Charbonnier distance, and half the mean absolute difference of gradients."""
    return charbonnier(reblurred, blurry) / blurry[0].numel() + _EDGES_SHARE * total_variation(reblurred - blurry)
