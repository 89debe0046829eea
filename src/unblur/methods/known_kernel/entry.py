"""The entry of `known-kernel` in the list of methods."""

from unblur.methods.entry import Entry

__all__ = ["KNOWN_KERNEL"]

KNOWN_KERNEL = Entry(
    summary="deconvolution with a kernel that you give (--kernel)",
    role="solver",
    settings="unblur.methods.known_kernel.settings:KnownKernelSettings",
    method="unblur.methods.known_kernel.method:KnownKernel",
    uses=frozenset({"kernel", "encoding", "solver", "refine"}),
    can_teach=True,
)
