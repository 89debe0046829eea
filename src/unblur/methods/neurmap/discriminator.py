"""The network D that distinguishes photos from answers of the deblurring network, patch by patch, at two sizes."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Discriminator"]

_WIDTHS = (3, 64, 128, 256, 512, 1)
_STRIDES = (2, 2, 2, 1, 1)


class Discriminator(nn.Module):
    """Photos `(B, 3, H, W)` in, marks of overlapping patches out: 1 is natural; 5,529,474 parameters.

    PatchGAN (Isola et al., CVPR 2017) at full and half size (Wang et al., CVPR 2018). Names of tensors are those of the
    released code, in which the network of the full size is `scale1`.
    """

    def __init__(self) -> None:
        super().__init__()
        for scale in (0, 1):
            for number in range(len(_STRIDES)):
                self.add_module(f"scale{scale}_layer{number}", _layer(number))
        self.apply(_start)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> tuple[Float[Tensor, "b 1 h1 w1"], Float[Tensor, "b 1 h2 w2"]]:
        """Marks at full and at half size."""
        smaller = functional.avg_pool2d(image, 3, stride=2, padding=1, count_include_pad=False)
        return self._mark(1, image), self._mark(0, smaller)

    def _mark(self, scale: int, image: Tensor) -> Tensor:
        for number in range(len(_STRIDES)):
            image = self.get_submodule(f"scale{scale}_layer{number}")(image)
        return image


def _layer(number: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(_WIDTHS[number], _WIDTHS[number + 1], 4, _STRIDES[number], padding=2)]
    last = len(_STRIDES) - 1
    if 0 < number < last:
        layers.append(nn.InstanceNorm2d(_WIDTHS[number + 1]))
    if number < last:
        layers.append(nn.LeakyReLU(0.2))
    return nn.Sequential(*layers)


def _start(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
