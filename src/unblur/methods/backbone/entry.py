"""The entries of the methods that are one network of the literature."""

from unblur.methods.entry import Entry

__all__ = ["DMPHN", "MPRNET", "NAFNET"]


def _network(name: str, summary: str) -> Entry:
    return Entry(
        summary=f"network for blur that varies over the photo: {summary}",
        role="restorer",
        settings=f"unblur.methods.backbone.settings:{name}Settings",
        method=f"unblur.methods.backbone.method:{name}",
        uses=frozenset({"tile"}),
        takes_weights=True,
        can_teach=True,
        is_differentiable=True,
    )


DMPHN = _network("Dmphn", "a hierarchy of patches")
MPRNET = _network("Mprnet", "three stages; slow")
NAFNET = _network("Nafnet", "one U without activation functions")
