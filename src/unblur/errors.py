"""Every error of ours.

    UnblurError
    ├── UsageError              a wrong option, argument or combination (exit 2)
    │   ├── UnknownMethodError  no method of that name
    │   ├── SettingsError       a setting that does not exist or cannot take that value
    │   ├── CheckpointError     weights that cannot be used: damaged, unsafe, of another network
    │   ├── KernelError         a kernel that cannot be used: all zero, negative, larger than the image
    │   ├── RegionError         a region outside the photo, or empty
    │   └── MissingExtraError   an optional dependency is not installed
    ├── ImageError              one image cannot be used; a batch goes on without it (exit 1)
    │   ├── ReadError           not an image, damaged, or of a kind we do not read
    │   ├── TooLargeError       over a limit on pixels, time or memory
    │   │   └── MemoryShortageError  the machine has too little memory for it
    │   └── WriteError          this one output cannot be written (it exists, it is the input)
    │       └── FormatError     its format cannot hold the image, or is none that is written
    ├── OutputError             the place for outputs is unusable (full, read-only): nothing can go on (exit 2)
    ├── DownloadError           a file cannot be downloaded, or is not the expected one (exit 2)
    ├── DataError               a data set folder is missing or is not what it should be (exit 2)
    ├── TrainingError           a training run cannot start or go on (exit 2)
    ├── ClusterError            the machines of a cluster cannot be reached, or break (exit 2)
    ├── ServerError             a server cannot do what it was asked
    │   └── BusyError           it has too much to do now; later it may
    ├── ShapeError              an array or tensor of the wrong shape (also a ValueError)
    └── Cancelled               the caller's progress hook asked to stop

A message is one sentence in plain words: what was expected, what came, what to do.
It never names the file: whoever holds the file name puts it in front.
"""

__all__ = [
    "BusyError",
    "Cancelled",
    "CheckpointError",
    "ClusterError",
    "DataError",
    "DownloadError",
    "FormatError",
    "ImageError",
    "KernelError",
    "MemoryShortageError",
    "MissingExtraError",
    "OutputError",
    "ReadError",
    "RegionError",
    "ServerError",
    "SettingsError",
    "ShapeError",
    "TooLargeError",
    "TrainingError",
    "UnblurError",
    "UnknownMethodError",
    "UsageError",
    "WriteError",
]


class UnblurError(Exception):
    """Base of every error that this package raises on purpose."""


class UsageError(UnblurError):
    """A wrong option, argument or combination of them."""


class UnknownMethodError(UsageError):
    """No method of that name in the catalogue."""


class SettingsError(UsageError):
    """A setting that the method does not have, or a value that it cannot take."""


class CheckpointError(UsageError):
    """Weights that are damaged, could run code, or belong to another network."""


class KernelError(UsageError):
    """A blur kernel that cannot be used."""


class RegionError(UsageError):
    """A region of the photo that is empty or reaches outside it."""


class MissingExtraError(UsageError):
    """An optional dependency that is not installed, or does not work here."""


class ImageError(UnblurError):
    """One image cannot be used; other images are not affected."""


class ReadError(ImageError):
    """The bytes are no image, a damaged one, or one of a kind that is not read."""


class TooLargeError(ImageError):
    """The image is over a limit on pixels, decoding time or memory."""


class MemoryShortageError(TooLargeError):
    """The machine, not a limit of ours, has too little memory for the image; another time it may have enough."""


class WriteError(ImageError):
    """This output cannot be written; others may be."""


class FormatError(WriteError):
    """The format of the output is none that is written, or cannot hold this image."""


class OutputError(UnblurError):
    """The place for outputs cannot be used at all."""


class DownloadError(UnblurError):
    """A file cannot be downloaded, or is not the expected one."""


class DataError(UnblurError):
    """A data set folder is missing, incomplete or of another layout."""


class TrainingError(UnblurError):
    """A training run cannot start here or cannot go on."""


class ClusterError(UnblurError):
    """The machines of a cluster cannot be reached, or break."""


class ServerError(UnblurError):
    """A server, here or elsewhere, cannot do what it was asked."""


class BusyError(ServerError):
    """A server has too much to do now.

    Attributes:
        retry_after: Seconds after which another attempt is worthwhile.
    """

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ShapeError(UnblurError, ValueError):
    """An array or tensor of the wrong shape."""


class Cancelled(UnblurError):  # noqa: N818 - nothing went wrong
    """The caller asked to stop."""
