"""The entry of `map` in the list of methods."""

from unblur.methods.entry import Entry

__all__ = ["MAP"]

MAP = Entry(
    summary="blind MAP deblurring: finds one kernel for the photo; no training, no weights",
    role="kernel estimator",
    settings="unblur.methods.classical_map.settings:MapSettings",
    method="unblur.methods.classical_map.method:ClassicalMap",
    uses=frozenset({"kernel", "kernel_size", "region", "encoding", "solver", "refine"}),
    finds="kernel",
    can_teach=True,
)
