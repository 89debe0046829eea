"""Files to arrays and back, without torch; the step to tensors is in `tensors` and `tiling`."""

from unblur.images.files import encode_image, read_image, write_image
from unblur.images.kernels import check_kernel, read_kernel, write_kernel
from unblur.images.limits import Limits
from unblur.images.picture import FileFacts, Picture, Space
from unblur.images.working import from_working, to_working
from unblur.system.atomic import atomic_write

__all__ = [
    "FileFacts",
    "Limits",
    "Picture",
    "Space",
    "atomic_write",
    "check_kernel",
    "encode_image",
    "from_working",
    "read_image",
    "read_kernel",
    "to_working",
    "write_image",
    "write_kernel",
]
