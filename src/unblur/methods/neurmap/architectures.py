"""How weights of `neurmap` are recognised."""

from __future__ import annotations

from unblur.weights.architecture import Architecture

__all__ = ["BOTH_NETWORKS"]

BOTH_NETWORKS = Architecture(
    "neurmap",
    ("motion.conv_out_0.weight", "motion.uconv_3.weight"),
    lambda _: "NeurMAP",
    inner="deblurring.",
)
