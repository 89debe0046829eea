"""The entries of the methods that are one network of the literature."""

from unblur.methods.backbone.architectures import DMPHN_NETWORKS, MAXIM_NETWORKS, MPRNET_NETWORKS, NAFNET_NETWORKS
from unblur.methods.entry import Entry
from unblur.weights.architecture import Architecture

__all__ = ["DMPHN", "MAXIM", "MPRNET", "NAFNET"]


def _network(name: str, summary: str, architectures: tuple[Architecture, ...], *uses: str) -> Entry:
    return Entry(
        summary=f"network for blur that varies over the photo: {summary}",
        role="restorer",
        settings=f"unblur.methods.backbone.settings:{name}Settings",
        method=f"unblur.methods.backbone.method:{name}",
        uses=frozenset({"tile", *uses}),
        takes_weights=True,
        architectures=architectures,
        can_teach=True,
        is_differentiable=True,
    )


DMPHN = _network("Dmphn", "a hierarchy of patches", DMPHN_NETWORKS, "engine")
MAXIM = _network("Maxim", "windows and grids of pixels mixed in turns; slow, rarely does harm", MAXIM_NETWORKS)
MPRNET = _network("Mprnet", "three stages; slow", MPRNET_NETWORKS)
NAFNET = _network("Nafnet", "one U without activation functions", NAFNET_NETWORKS)
