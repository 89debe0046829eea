"""The two networks of the Golf Optimizer (Luo, Chen, Qian, "A deep optimization approach for image deconvolution").

A first shot F brings the blurry photo near; a putt G walks the rest in equal steps, without seeing the photo again:

    x_0 = F(y),    x_i = G(x_(i-1)) = x_(i-1) + r(x_(i-1))

r stands for -grad of the prior: G is trained to give the mean sharp image behind x, so r points uphill in the
probability of images smoothed by a Gaussian. Both have one topology, of 32 and 16 channels. No layer changes the size.
"""

from __future__ import annotations

from collections.abc import Iterator

from jaxtyping import Float
from torch import Tensor, nn

from unblur.backbones.golf import GolfNet

__all__ = ["GolfOptimizer"]


class GolfOptimizer(nn.Module):
    """The first shot, and the putt again and again.

    Args:
        first_shot: F.
        putt: G.
        iters: How often the putt is applied; it converges within 2 to 4.
    """

    def __init__(self, first_shot: GolfNet, putt: GolfNet, *, iters: int = 3) -> None:
        super().__init__()
        self.first_shot, self.putt, self.iters = first_shot, putt, iters

    def forward(self, blurry: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """The last iterate; not clamped."""
        *_, latent = self.iterates(blurry)
        return latent

    def iterates(self, blurry: Float[Tensor, "b 3 h w"]) -> Iterator[Float[Tensor, "b 3 h w"]]:
        """Every iterate x_0, x_1, ... as it comes; none is clamped."""
        latent = self.first_shot(blurry)
        yield latent
        for _ in range(self.iters):
            latent = self.putt(latent)
            yield latent

    def residual_gradient(self, latent: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """G(x) - x: the gradient of the log probability of smoothed images, up to a positive factor."""
        return self.putt(latent) - latent
