"""The entry of `auto` in the list of methods."""

from unblur.methods.auto.architectures import AUTO_NETWORKS
from unblur.methods.entry import Entry

__all__ = ["AUTO"]

AUTO = Entry(
    summary="looks at the photo, chooses what to do, checks the answer, and changes nothing that it would harm",
    role="kernel estimator",
    settings="unblur.methods.auto.settings:AutoSettings",
    method="unblur.methods.auto.method:Auto",
    uses=frozenset({"kernel", "kernel_size", "region", "encoding", "solver", "refine", "effort", "force"}),
    finds="kernel",
    takes_weights=True,
    weights="auto",
    architectures=(AUTO_NETWORKS,),
)
