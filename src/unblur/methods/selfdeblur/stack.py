"""Many fits at once on one device: their weights side by side, each pass through the networks one for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from unblur.backbones.skipnet import side_by_side
from unblur.errors import ShapeError
from unblur.methods.optimisation.problem import Evaluation
from unblur.methods.selfdeblur.problem import PhotoFit, TaughtFit, compare, explain

__all__ = ["Stack", "TaughtStack", "largest_stack"]

_BYTES, _BYTES_PER_CHANNEL = 700, 50
"""That a pixel of the image network's input keeps for the gradient in float32, at no width and for each channel of it:
measured at widths 32 and 64."""
_HEADROOM = 3
"""For gradients on their way, for what convolutions need besides, and for the margin that a kernel adds to a photo."""
_SHARE_OF_FREE = 0.8


class Stack:
    """Fits that take each step together; see `JointProblem`.

    Their image networks become one with groups of convolutions. Normalisations look at each channel of one image, so
    they see each photo by itself, as in a run of one. The kernel networks are small and stay what they are.

    Args:
        fits: Fits of one size, encoding and schedule; the stack begins with copies of their image networks.

    Raises:
        ShapeError: They differ.
    """

    def __init__(self, fits: Sequence[PhotoFit]) -> None:
        if (
            len(
                {
                    (fit.blurry.shape, fit.blur_model.size, fit.blur_model.encoding, fit.blur_model.is_known)
                    for fit in fits
                }
            )
            > 1
        ):
            raise ShapeError("fits that are stacked have photos and kernels of one size, blurred in the same encoding")
        self.problems: Sequence[PhotoFit] = fits
        with torch.random.fork_rng(devices=[]):  # weights that are drawn only to be replaced
            together = fits[0].make_image_network(copies=len(fits))
        self._images = side_by_side([fit.image_network for fit in fits], together)
        offsets = [fit.offset for fit in fits if fit.offset is not None]
        self._offset = torch.cat(offsets, dim=1) if offsets else None

    def groups(self) -> list[dict[str, Any]]:
        """See `JointProblem.groups`."""
        first = self.problems[0]
        if first.blur_model.is_known:
            return self.image_groups()
        kernels = [weights for fit in self.problems for weights in fit.kernel_network.parameters()]
        return [*self.image_groups(), {"params": kernels, "lr": first.fit_schedule.kernel_rate}]

    def image_groups(self) -> list[dict[str, Any]]:
        """The image networks alone."""
        return [{"params": list(self._images.parameters()), "lr": self.problems[0].fit_schedule.image_rate}]

    def evaluate(self, step: int) -> Sequence[Evaluation]:
        """See `JointProblem.evaluate`, and `explain`."""
        images = self.draw_images()
        for fit, image in zip(self.problems, images.split(1), strict=True):
            fit.refit_at(step, image)
        kernels = torch.cat([fit.kernel() for fit in self.problems])
        return explain(self.problems, step, images, kernels)

    def draw_images(self) -> Float[Tensor, "b 1 ih iw"]:
        """The image of each fit, with its margin."""
        codes = torch.cat([fit.draw_code() for fit in self.problems], dim=1)
        with self.problems[0].computing():
            images = self._images(codes.to(memory_format=self.problems[0].memory_format), self._offset)
        return images.transpose(0, 1)


class TaughtStack:
    """The image networks of a stack alone, which learn the teacher's images; see `JointProblem`.

    Args:
        stack: Has the networks.
        taught: Brightness of the teacher's images, `(1, 1, h, w)` each.
    """

    def __init__(self, stack: Stack, taught: Sequence[Tensor]) -> None:
        self._stack, self._taught = stack, torch.cat(list(taught))
        self.problems = [TaughtFit(fit, image) for fit, image in zip(stack.problems, taught, strict=True)]

    def groups(self) -> list[dict[str, Any]]:
        """See `JointProblem.groups`."""
        return self._stack.image_groups()

    def evaluate(self, step: int) -> Sequence[Evaluation]:
        """See `JointProblem.evaluate`."""
        del step
        return compare(self._stack.problems[0].crop(self._stack.draw_images()), self._taught)


def largest_stack(device: torch.device, pixels: int, width: int) -> int:
    """How many fits should go side by side: as many as the free memory of a GPU holds, one elsewhere.

    Args:
        device: Device of the networks.
        pixels: Pixels of a photo.
        width: Channels of the image network.
    """
    if device.type != "cuda":
        return 1
    free, _ = torch.cuda.mem_get_info(device)
    needed = _HEADROOM * pixels * (_BYTES + _BYTES_PER_CHANNEL * width)
    return max(1, int(_SHARE_OF_FREE * free / needed))
