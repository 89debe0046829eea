"""The entry of `dublid` in the list of methods."""

from unblur.methods.dublid.architectures import NETWORK_PAIR, UNROLLED_NETWORK
from unblur.methods.entry import Entry

__all__ = ["DUBLID"]

DUBLID = Entry(
    summary="unrolled networks: find one kernel; on one core a second for 255x255 pixels, five for 1280x720",
    role="kernel estimator",
    settings="unblur.methods.dublid.settings:DublidSettings",
    method="unblur.methods.dublid.method:Dublid",
    uses=frozenset({"kernel", "kernel_size", "region", "encoding", "solver", "refine", "engine"}),
    finds="kernel",
    takes_weights=True,
    weights="dublid",
    architectures=(UNROLLED_NETWORK, NETWORK_PAIR),
    can_teach=True,
)
