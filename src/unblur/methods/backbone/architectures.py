"""How weights of `dmphn`, `mprnet` and `nafnet` are recognised, whole or in the parts that DMPHN's authors release."""

from __future__ import annotations

from unblur.weights.architecture import Architecture, Shapes, count_names

__all__ = ["DMPHN_NETWORKS", "MAXIM_NETWORKS", "MPRNET_NETWORKS", "NAFNET_NETWORKS"]


def _describe_dmphn(shapes: Shapes) -> str:
    levels = count_names(shapes, r"encoder_lv\d+")
    return f"DMPHN ({'-'.join(str(2**level) for level in range(levels))})"


def _describe_mprnet(shapes: Shapes) -> str:
    return f"MPRNet (width {shapes['concat12.weight'][0]})"


def _describe_nafnet(shapes: Shapes) -> str:
    return f"NAFNet (width {shapes['intro.weight'][0]})"


_MAXIM_SIGNS = ("stage_0_input_conv_2.weight", "stage_1_input_fuse_sam_2.LayerNorm_x.weight")
MAXIM_NETWORKS = (Architecture("maxim", _MAXIM_SIGNS, lambda _: "MAXIM (three stages)"),)
DMPHN_NETWORKS = (
    Architecture("dmphn", ("encoder_lv1.layer1.weight", "decoder_lv1.layer24.weight"), _describe_dmphn),
    Architecture("dmphn-encoder", ("layer1.weight", "layer11.2.weight"), lambda _: "one encoder of DMPHN"),
    Architecture("dmphn-decoder", ("layer13.0.weight", "layer24.weight"), lambda _: "one decoder of DMPHN"),
)
MPRNET_NETWORKS = (
    Architecture("mprnet", ("stage1_encoder.encoder_level1.0.body.0.weight", "concat12.weight"), _describe_mprnet),
)
NAFNET_NETWORKS = (Architecture("nafnet", ("intro.weight", "ending.weight", "encoders.0.0.beta"), _describe_nafnet),)
