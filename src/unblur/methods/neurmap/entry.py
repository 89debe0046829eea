"""The entry of `neurmap` in the list of methods."""

from unblur.methods.entry import Entry
from unblur.methods.neurmap.architectures import BOTH_NETWORKS

__all__ = ["NEURMAP"]

NEURMAP = Entry(
    summary="network trained on unpaired photos, for blur that varies over the photo; finds the motion field",
    role="restorer",
    settings="unblur.methods.neurmap.settings:NeurmapSettings",
    method="unblur.methods.neurmap.method:NeurmapMethod",
    uses=frozenset({"tile"}),
    finds="motion field",
    takes_weights=True,
    weights="neurmap",
    architectures=(BOTH_NETWORKS,),
)
