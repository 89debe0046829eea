"""The entry of `selfdeblur` in the list of methods."""

from unblur.methods.entry import Entry

__all__ = ["SELFDEBLUR"]

SELFDEBLUR = Entry(
    summary="two untrained networks fitted to the one photo: image and kernel; half a minute a photo on a processor",
    role="kernel estimator",
    settings="unblur.methods.selfdeblur.settings:SelfDeblurSettings",
    method="unblur.methods.selfdeblur.method:SelfDeblur",
    uses=frozenset({"kernel", "kernel_size", "region", "encoding", "solver", "refine", "seed"}),
    finds="kernel",
)
