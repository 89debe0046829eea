"""The entry of `dublid` in the list of methods."""

from unblur.methods.dublid.architectures import UNROLLED_NETWORK
from unblur.methods.entry import Entry

__all__ = ["DUBLID"]

DUBLID = Entry(
    summary="unrolled network: finds one kernel; on one core a second for 255x255 pixels, five for 1280x720",
    role="kernel estimator",
    settings="unblur.methods.dublid.settings:DublidSettings",
    method="unblur.methods.dublid.method:Dublid",
    uses=frozenset({"kernel", "kernel_size", "region", "encoding", "solver", "refine"}),
    finds="kernel",
    takes_weights=True,
    weights="dublid-motion",
    architectures=(UNROLLED_NETWORK,),
    can_teach=True,
)
