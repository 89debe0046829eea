"""The fusion network alone, on pairs: the other two networks of NeurMAP, and descent, stay as they are.

A batch holds `blurry` and `sharp`, each `(B, 3, H, W)` in [0, 1], with sides that are multiples of 16.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from unblur.losses.content import log_mean_square
from unblur.methods.neurmap.fusion import FusionNet
from unblur.methods.neurmap.model import Deblurring, Neurmap, Part, start_from
from unblur.methods.neurmap.motion import mean_over_views
from unblur.methods.neurmap.posterior import descend_along_motion
from unblur.methods.neurmap.settings import NeurmapSettings
from unblur.metrics.psnr import validation_psnr

__all__ = ["FusionObjective"]

Batch = Mapping[str, Tensor]


class FusionObjective(nn.Module):
    """What the fusion network makes of both answers is to be the sharp photo; all three networks are exported together.

    Args:
        deblurring: Which network deblurs.
        centred: See `Neurmap`.
        deblurring_weights: Its weights, see `start_from`; empty: random ones, for trying out.
        motion_weights: Those of the motion network.
        fusion_weights: Those that the fusion network starts from; empty: from scratch.
        harm: Weight of what the result loses against the deblurring network's, in the unit of the content term: so much
            more a loss counts than a gain of the same size.

    Raises:
        CheckpointError: No such weights, or those of another network.
    """

    def __init__(
        self,
        *,
        deblurring: Deblurring = "golf",
        centred: bool = True,
        deblurring_weights: str = "",
        motion_weights: str = "",
        fusion_weights: str = "",
        harm: float = 0.0,
    ) -> None:
        super().__init__()
        self.fusion = FusionNet()
        self.network = Neurmap(deblurring, centred=centred, fusion=self.fusion)
        parts: tuple[tuple[str, nn.Module, Part], ...] = (
            (deblurring_weights, self.network.deblurring, "deblurring"),
            (motion_weights, self.network.motion, "motion"),
            (fusion_weights, self.fusion, "fusion"),
        )
        for given, network, part in parts:
            if given:
                start_from(given, network, part)
        self.network.deblurring.requires_grad_(False)
        self.network.motion.requires_grad_(False)
        self.term_weights = {"content": 1.0, "harm": harm}

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Both terms, means over the batch."""
        restored, _, fused = self._answers(batch["blurry"])
        content = log_mean_square(fused, batch["sharp"])
        lost = (content - log_mean_square(restored, batch["sharp"])).relu()
        return {"content": content.mean(), "harm": lost.mean()}

    def project(self) -> None:
        """Nothing is bounded."""

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, Tensor]:
        """Gain over the photo, in dB of PSNR, of each of the two answers and of both in one, each `(B,)`."""
        before = validation_psnr(batch["blurry"], batch["sharp"])
        answers = zip(("gain_network", "gain_descent", "gain"), self._answers(batch["blurry"]), strict=True)
        return {name: validation_psnr(image.clamp(0, 1), batch["sharp"]) - before for name, image in answers}

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Blurry, both answers, their fusion and sharp side by side `(B, 3, H, 5 W)`."""
        row = [batch["blurry"], *self._answers(batch["blurry"]), batch["sharp"]]
        return {"blurry, network, descent, fusion, sharp": torch.cat(row, 3).clamp(0, 1)}

    def metadata(self) -> dict[str, str]:
        """What an exported file says of itself."""
        return {"method": "neurmap", "arch": "neurmap", "arch_config": self.network.config()}

    def _answers(self, blurry: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As the method makes them: of the network, of descent, and of both."""
        with torch.no_grad():
            restored = self.network(blurry).float().clamp(0, 1)
            motion = mean_over_views(self.network.motion, blurry).float()
            with torch.autocast(blurry.device.type, enabled=False):
                photos = zip(blurry.split(1), restored.split(1), motion.split(1), strict=True)
                descended = torch.cat([descend_along_motion(*one, NeurmapSettings.steps, _quietly) for one in photos])
        return restored, descended, self.fusion(FusionNet.stack(blurry, restored, descended, motion))


def _quietly(share: float) -> None:
    """Descent reports to nobody."""
