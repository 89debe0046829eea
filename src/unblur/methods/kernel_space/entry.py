"""The entry of `kernel-space` in the list of methods."""

from unblur.methods.entry import Entry
from unblur.methods.kernel_space.architectures import BLUR_FILTERS, BLUR_OPERATOR

__all__ = ["KERNEL_SPACE"]

KERNEL_SPACE = Entry(
    summary="two untrained networks fitted to the one photo, image and code of the blur, under a trained blur operator",
    role="restorer",
    settings="unblur.methods.kernel_space.settings:KernelSpaceSettings",
    method="unblur.methods.kernel_space.method:KernelSpaceMethod",
    uses=frozenset({"kernel", "kernel_size", "encoding", "seed"}),
    takes_weights=True,
    state="works; its result is near that of map, from which it starts",
    weights="kernel-space",
    architectures=(BLUR_FILTERS, BLUR_OPERATOR),
)
